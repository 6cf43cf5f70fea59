// ioamctl monitor as an operator runs it: events of the real kernel, readable and as JSON.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { generator } from "../lab/generator.ts";
import { setUpNode, type TraceModel, traceOption, tracePacket } from "../lab/ioam-kernel.ts";
import { createNetns } from "../lab/netns.ts";
import { packetOctets } from "../lab/packet.ts";
import { Background, run } from "../lab/process.ts";
import { type RouterLab, router } from "../lab/router.ts";
import { type Station, station } from "../lab/station.ts";

const IOAMCTL = fileURLToPath(new URL("../../bin/ioamctl", import.meta.url));
const TRACE: TraceModel = {
  namespace: 123,
  traceType: 0xf98002,
  nodes: [
    {
      values: new Map([
        [0, 0xffffffffn],
        [1, 0x00090010n],
        [2, 1_700_000_000n],
        [3, 5n],
        [4, 1234n],
        [7, 0xffffffffn],
        [8, 0x3f00000000000005n],
      ]),
    },
  ],
  room: 96,
};

let lab: RouterLab;
let sender: Station;

beforeAll(async () => {
  lab = await router();
  await setUpNode(lab.router, {
    id: 42,
    idWide: 0xffffffffffff0n,
    interfaces: { in0: { id: 11 }, out0: { id: 12 } },
    enabled: ["in0"],
    namespaces: [{ id: 123, schema: 9 }],
    schemas: { 9: "snap" },
  });
  sender = station(lab.source);
});
afterAll(() => lab.close());

/** Starts a monitor of the router, which listens when this returns. */
async function monitor(...args: string[]): Promise<Background> {
  const options = ["monitor", "--netns", lab.router.name, "--log-level", "debug", ...args];
  const running = new Background("node", [IOAMCTL, ...options]);
  await running.until(/"listening"/);
  return running;
}

test("JSON: one object a line, every field that is carried, null for what is not available", async () => {
  await using running = await monitor("--json");
  await sender.send("src0", packetOctets(tracePacket(TRACE)), packetOctets(tracePacket(TRACE)));
  await running.until(/\n.*\n/);
  const lines = running.output.trim().split("\n");
  expect(lines).toHaveLength(2);
  const event = JSON.parse(lines[1]!);
  const seconds = event.nodes[1].ioamTimestampSeconds;
  expect(Date.parse(event.nodes[1].ioamTimestamp)).toBeGreaterThanOrEqual(seconds * 1000);
  expect(event).toEqual({
    event: "trace",
    ioamNamespaceId: 123,
    ioamTraceType: "0xf98002",
    nodes: [
      {
        ioamHopIndex: 0,
        ioamNodeId: null,
        ioamHopLimit: null,
        ioamIngressInterfaceId: 9,
        ioamEgressInterfaceId: 16,
        ioamTimestampSeconds: 1_700_000_000,
        ioamTimestampFraction: 5,
        ioamTimestamp: "2023-11-14T22:13:20.000005Z",
        ioamTransitDelayNanoseconds: 1234,
        ioamChecksumComplement: null,
        ioamNodeIdWide: 5,
        ioamHopLimitWide: 63,
        ioamSnapshotSchemaId: null,
        ioamSnapshotData: "",
      },
      {
        ioamHopIndex: 1,
        ioamNodeId: 42,
        ioamHopLimit: 63,
        ioamIngressInterfaceId: 11,
        ioamEgressInterfaceId: 12,
        ioamTimestampSeconds: seconds,
        ioamTimestampFraction: expect.any(Number),
        ioamTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
        ioamTransitDelayNanoseconds: null,
        ioamChecksumComplement: null,
        ioamNodeIdWide: 0xffffffffffff0,
        ioamHopLimitWide: 63,
        ioamSnapshotSchemaId: 9,
        ioamSnapshotData: Buffer.from("snap").toString("hex"),
      },
    ],
  });
  expect((await running.stop("SIGINT")).code).toBe(0);
});

test("readable, with the namespace's own timestamps", async () => {
  await using running = await monitor("--timestamps", "ntp", "123=ptp");
  const small = { ...TRACE, traceType: 0xb00000, room: 0 };
  await sender.send("src0", packetOctets(tracePacket(small)));
  await running.until(/\n.*\n/);
  expect(running.output).toBe(
    "trace  namespace 123  type 0xb00000\n" +
      "  1  node n/a  hop limit n/a  2023-11-14T22:12:43.000000005Z\n",
  );
  const bare = { ...TRACE, nodes: [], room: 0 };
  await sender.send("src0", packetOctets(tracePacket(bare)));
  await running.until(/no node's data\n/);
  expect((await running.stop()).code).toBe(0);
});

test("says what was lost: a reader that stands still, then reads on", async () => {
  const packet = dexPacket({ source: "fd00:1::", before: [traceOption({ ...TRACE, nodes: [] })] });
  using gen = generator(lab.source, "src0", { flows: 10, packet });
  const running = await monitor("--json");
  running.child.kill("SIGSTOP");
  const packets = 300_000;
  await gen.send({ packets });
  running.child.kill("SIGCONT");
  await running.until(/"drops"/, 60_000);
  let [events, drops] = [0, 0];
  const deadline = Date.now() + 60_000;
  while (events + drops < packets && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    events = running.output.split('"event":"trace"').length - 1;
    const lines = running.output.match(/"netlinkDrops":\d+/g) ?? [];
    drops = lines.reduce((sum, line) => sum + Number(line.split(":")[1]), 0);
  }
  expect(drops).toBeGreaterThan(0);
  expect(events + drops).toBe(packets);
  const { code, stdout } = await running.stop("SIGINT");
  expect(code).toBe(0);
  expect(
    stdout
      .trim()
      .split("\n")
      .every((line) => JSON.parse(line)),
  ).toBe(true);
});

/** Whether a monitor still receives. */
function receives({ pid }: Background): boolean {
  return readdirSync(`/proc/${pid}/task`).some((id) => {
    try {
      return readFileSync(`/proc/${pid}/task/${id}/comm`, "utf8") === "ioam-netlink\n";
    } catch {
      return false; // it has just ended
    }
  });
}

test("interrupted while its reader stands still: what it has no time for is counted", async () => {
  const packet = dexPacket({ source: "fd00:1::", before: [traceOption({ ...TRACE, nodes: [] })] });
  using gen = generator(lab.source, "src0", { flows: 10, packet });
  await using running = await monitor();
  running.child.stdout!.pause();
  const packets = 15_000;
  await gen.send({ packets });
  running.child.kill("SIGINT");
  await eventually("it has given up", () => !receives(running));
  running.child.stdout!.resume();
  expect((await running.ended).code).toBe(0);
  const events = running.output.split("trace  namespace").length - 1;
  const unshown = /^drops {2}(\d+) events? not shown, for it was to end \(\1 in all\)$/m;
  const [, count] = unshown.exec(running.output)!;
  expect(events).toBeGreaterThan(0);
  expect(events + Number(count)).toBe(packets);
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s under load: each event is shown or counted",
  async (signal) => {
    const packet = dexPacket({
      source: "fd00:1::",
      before: [traceOption({ ...TRACE, nodes: [] })],
    });
    using gen = generator(lab.source, "src0", { flows: 10, packet });
    await using running = await monitor("--json");
    const packets = 100_000;
    await gen.send({ packets });
    expect((await running.stop(signal)).code).toBe(0);
    const events = running.output.split('"event":"trace"').length - 1;
    const drops = [...running.output.matchAll(/"netlinkDrops":(\d+)/g)];
    expect(drops.reduce((sum, [, count]) => sum + Number(count), events)).toBe(packets);
  },
);

test("its netns is deleted: it says so and ends, for else it would keep it alive", async () => {
  const passing = await createNetns("passing");
  const running = new Background("node", [IOAMCTL, "monitor", "--netns", passing.name]);
  await running.until(/no interface of netns .* has IOAM enabled/);
  await passing.close();
  expect((await running.ended).code).toBe(1);
  expect(running.errors.trimEnd().split("\n").at(-1)).toBe(
    `ioamctl monitor: netns ${passing.name} was deleted: no more events will come from it`,
  );
});

test("its reader goes away: it ends", async () => {
  const running = await monitor();
  running.child.stdout!.destroy();
  const timer = setInterval(() => void sender.send("src0", packetOctets(tracePacket(TRACE))), 50);
  expect(await running.ended).toEqual({ code: 0, signal: null });
  clearInterval(timer);
});

test("where no event will come it says so, and what is no netns", async () => {
  const quiet = new Background("node", [IOAMCTL, "monitor", "--netns", lab.source.name]);
  await quiet.until(/no interface of netns .* has IOAM enabled/);
  expect((await quiet.stop("SIGINT")).code).toBe(0);
  const missing = await run("node", [IOAMCTL, "monitor", "--netns", "no-such-netns"], {
    check: false,
  });
  expect(missing.code).toBe(1);
  expect(missing.stderr).toMatch(/^ioamctl monitor: cannot open netns no-such-netns: .*\n$/);
});
