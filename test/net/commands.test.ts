// attach, status, flush and detach: a round trip with traffic, and what is theirs to touch.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import {
  attachTcx,
  interfaceIndex,
  openNetns,
  openObject,
  programById,
  queryTcx,
  withNetns,
} from "../../src/native/bpf-loader/index.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { packetOctets } from "../lab/packet.ts";
import { run } from "../lab/process.ts";
import { testProgram } from "../lab/programs.ts";
import { type RouterLab, router } from "../lab/router.ts";
import { type Station, station } from "../lab/station.ts";
import { PrivateHost, programsOf, withoutTcx } from "./private-host.ts";
import type { AttachmentJson, StatusJson } from "./status-json.ts";

let host: PrivateHost;
let lab: RouterLab;
let sender: Station;
let name: string;
let netns: string[];

beforeAll(async () => {
  [host, lab] = await Promise.all([PrivateHost.start(), router()]);
  sender = station(lab.source);
  name = lab.router.name;
  netns = ["--netns", name];
});

afterAll(async () => {
  await Promise.allSettled([lab?.close(), host?.close()]);
});

/** A packet of each of these flows; the router forwards them all. */
async function send(...flowIds: number[]): Promise<void> {
  const packets = flowIds.map((flowId) => dexPacket({ flowId, sequence: 1 }));
  await sender.send("src0", ...packets.map(packetOctets));
}

async function counted(dexPackets: number): Promise<StatusJson> {
  return eventually(`${dexPackets} packets`, async () => {
    const status = await host.json<StatusJson>("status");
    return status.counters.dexPackets === dexPackets && status;
  });
}

/** Whatever a test left attached goes with it. */
function detachAfterwards(): void {
  onTestFinished(async () => {
    await host.ioamctl(["detach", "--all"]);
    await host.clean(lab.router);
  });
}

async function filters(device: string, direction: "ingress" | "egress"): Promise<string> {
  return (await run("tc", ["-n", name, "filter", "show", "dev", device, direction])).stdout;
}

/** Names in the first column of the table in docs/counters.md. */
async function documentedCounters(): Promise<string[]> {
  const file = fileURLToPath(new URL("../../docs/counters.md", import.meta.url));
  const rows = (await readFile(file, "utf8")).split("\n").filter((line) => line.startsWith("| `"));
  return rows.flatMap((row) => [...row.split("|")[1]!.matchAll(/`(\w+)`/g)].map((m) => m[1]!));
}

test("attach, traffic, status, flush, detach", async () => {
  detachAfterwards();
  const before = await host.json<StatusJson>("status");
  expect(before).toMatchObject({ attachments: [], tables: [], agent: null });
  expect(before.counters).toMatchObject({ packets: 0, ringDropped: 0, postcards: 0 });

  const [ingress] = await host.json<(AttachmentJson & { created: boolean })[]>(
    ...["attach", "-n", "in0", ...netns, "--max-flows", "64"],
  );
  const programs = await programsOf(lab.router);
  const { created, ...attachment } = ingress!;
  expect(created).toBe(true);
  expect(attachment).toEqual({
    netns: name,
    interfaceName: "in0",
    ifindex: 2,
    direction: "ingress",
    hook: "tcx",
    programId: programs.find((one) => one.name === "ioam_ingress")!.id,
  });
  // Again, and more: what is there stays.
  const again = await host.print("attach", "-n", "in0", "out0", ...netns, "--direction", "both");
  expect(again.split("\n")).toEqual([
    `in0: was attached already, ingress (tcx, program ${attachment.programId})`,
    expect.stringMatching(/^in0: attached, egress \(tcx, program \d+\)$/),
    expect.stringMatching(/^out0: attached, ingress \(tcx, program \d+\)$/),
    expect.stringMatching(/^out0: attached, egress \(tcx, program \d+\)$/),
    "",
  ]);
  await host.print("detach", "-n", "in0", "out0", ...netns);
  await host.print("attach", "-n", "in0", ...netns, "--max-flows", "64");
  await host.print("attach", "-n", "out0", ...netns, "--direction", "egress");

  await send(1, 2, 2, 3, 3, 3);
  const during = await counted(12);
  expect(during.attachments.map((a) => [a.netns, a.interfaceName, a.direction, a.hook])).toEqual([
    [name, "in0", "ingress", "tcx"],
    [name, "out0", "egress", "tcx"],
  ]);
  const octets = 12 * packetOctets(dexPacket({ link: null, flowId: 1, sequence: 1 })).length;
  expect(during.tables).toEqual([
    { netns: name, flows: 6, packets: 12, octets, maxFlows: 64, memoryOctets: expect.any(Number) },
  ]);
  expect(during.tables[0]!.memoryOctets).toBeGreaterThan(64 * 2 * 256);
  expect(during.counters).toMatchObject({
    packets: 12,
    ioamPackets: 12,
    dexPackets: 12,
    dexOctets: octets,
    dexMalformed: 0,
    namespaceFiltered: 0,
    tableFull: 0,
  });
  expect(Object.keys(during.counters)).toEqual(expect.arrayContaining(await documentedCounters()));
  const text = await host.print("status");
  expect(text).toMatch(new RegExp(`^${name} +in0 +2 +ingress +tcx +${attachment.programId}$`, "m"));
  expect(text).toMatch(new RegExp(`^${name} +6 +64 +9 % +\\d+ MiB$`, "m"));
  expect(text).toMatch(/^dexPackets +12$/m);
  expect(text).toMatch(/^No agent runs/m);

  const flow = { flows: 1, packets: 3, octets: octets / 4 };
  const filter = ["--flow-id", "3", "--dst", "fd00:2::/64", ...netns];
  expect(await host.json("flush", "-n", "in0", ...filter)).toEqual(flow);
  expect(await host.json("flush", "-n", "in0", ...filter)).toMatchObject({ flows: 0, packets: 0 });
  const left = await host.json<{ ioamFlowId: number; interfaceName: string }[]>("dump", ...netns);
  expect(left.map((one) => `${one.interfaceName} ${one.ioamFlowId}`).sort()).toEqual([
    "in0 1",
    "in0 2",
    "out0 1",
    "out0 2",
    "out0 3",
  ]);
  const all = `flushed 5 flows, 9 packets, ${(octets / 12) * 9} octets\n`;
  expect(await host.print("flush", "--all", ...netns)).toBe(all);
  expect((await host.json<StatusJson>("status")).counters).toMatchObject({
    flushedPackets: 12,
    flushedOctets: octets,
  });

  // A table that still holds flows outlives its last attachment.
  await send(4);
  await counted(14);
  expect(await host.json("detach", "-n", "out0", ...netns)).toMatchObject([
    { netns: name, interfaceName: "out0", ifindex: 3, direction: "egress", hook: "tcx" },
  ]);
  const last = await host.ioamctl(["detach", "-n", "in0", ...netns]);
  expect(last).toMatchObject({ code: 0, stdout: `in0: detached, ingress (netns ${name})\n` });
  expect(last.stderr).toMatch(/^ioamctl detach: the table is kept because it holds 2 flows .*\n$/);
  expect(await host.json("dump", ...netns)).toHaveLength(2);
  expect((await host.json<StatusJson>("status")).attachments).toEqual([]);

  const maps = programs.flatMap((one) => one.map_ids ?? []);
  expect(await host.print("detach", "--all", ...netns)).toBe(
    `nothing was attached\ntable removed (netns ${name})\n`,
  );
  await host.clean(lab.router);
  for (const id of new Set(maps)) {
    const { code } = await run("bpftool", ["map", "show", "id", String(id)], { check: false });
    expect(code, `map ${id}`).not.toBe(0);
  }
  expect(await host.json("status")).toEqual(before);
});

test("64-bit integers that JSON's numbers cannot hold are strings", async () => {
  detachAfterwards();
  await host.print("attach", "-n", "in0", ...netns, "--max-flows", "8");
  const handle = openNetns(name);
  handle.close();
  const ledger = ["pinned", `/sys/fs/bpf/ioamctl/${handle.inode}/map_ledger`];
  const read = await host.run(["bpftool", "-j", "map", "dump", ...ledger]);
  const [{ value }] = JSON.parse(read.stdout) as [{ value: string[] }];
  const words = Array.from({ length: value.length / 8 }, (_, i) => 2n ** 53n + BigInt(i));
  const octets = [...new Uint8Array(new BigUint64Array(words).buffer)].map(String);
  const key = ["key", "0", "0", "0", "0"];
  const written = await host.run([
    "bpftool",
    "map",
    "update",
    ...ledger,
    ...key,
    "value",
    ...octets,
  ]);
  expect(written.stderr).toBe("");
  const { counters } = await host.json<StatusJson>("status");
  expect(Object.values(counters)).toEqual(
    expect.arrayContaining([9007199254740992, "9007199254740993"]),
  );
  expect(await host.print("status")).toContain(" 9007199254740993\n");
});

test("detach --all --netns leaves other namespaces alone, detach --all does not", async () => {
  detachAfterwards();
  await host.print("attach", "-n", "in0", ...netns, "--max-flows", "8");
  await host.print("attach", "-n", "snk0", "--netns", lab.sink.name, "--max-flows", "8");
  const status = async () => {
    const { attachments, tables } = await host.json<StatusJson>("status");
    return { attached: attachments.map((one) => one.netns), tables: tables.map((t) => t.netns) };
  };
  expect((await status()).attached.sort()).toEqual([name, lab.sink.name].sort());
  await host.print("detach", "--all", ...netns);
  expect(await status()).toEqual({ attached: [lab.sink.name], tables: [lab.sink.name] });
  await eventually("its programs are gone", async () => {
    return (await programsOf(lab.router)).length === 0;
  });
  await host.print("attach", "-n", "in0", ...netns, "--max-flows", "8");
  const lines = (await host.print("detach", "--all")).trimEnd().split("\n").sort();
  expect(lines).toEqual(
    [
      `in0: detached, ingress (netns ${name})`,
      `snk0: detached, ingress (netns ${lab.sink.name})`,
      `table removed (netns ${name})`,
      `table removed (netns ${lab.sink.name})`,
    ].sort(),
  );
  await host.clean(lab.router, lab.sink);
});

test("without TCX, clsact: status says so, and the qdisc goes with the last direction", async () => {
  detachAfterwards();
  const options = ["-n", "in0", ...netns, "--direction", "both", "--max-flows", "8", "--json"];
  const { code, stdout, stderr } = await host.ioamctl(["attach", ...options], { by: withoutTcx });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect((JSON.parse(stdout) as AttachmentJson[]).map((one) => one.hook)).toEqual(["tc", "tc"]);
  const { attachments } = await host.json<StatusJson>("status");
  expect(attachments.map(({ hook, direction }) => [hook, direction])).toEqual([
    ["tc", "ingress"],
    ["tc", "egress"],
  ]);
  expect(await filters("in0", "egress")).toContain(`id ${attachments[1]!.programId}`);
  await send(1, 2);
  await counted(2);
  await host.print("detach", "--all", ...netns);
  await host.clean(lab.router);
});

test("a foreign clsact qdisc and its filters survive", async () => {
  const tc = (...args: string[]) => run("tc", ["-n", name, ...args]);
  await tc("qdisc", "add", "dev", "in0", "clsact");
  onTestFinished(async () => {
    await tc("qdisc", "del", "dev", "in0", "clsact");
  });
  const filter = "filter add dev in0 ingress protocol ipv6 prio 10 u32 match u32 0 0";
  await tc(...filter.split(" "));
  const before = await filters("in0", "ingress");
  await host.print("attach", "-n", "in0", "out0", "--hook", "tc", ...netns, "--max-flows", "8");
  expect((await filters("in0", "ingress")).length).toBeGreaterThan(before.length);
  await host.print("detach", "--all", ...netns);
  expect(await filters("in0", "ingress")).toBe(before);
  expect((await tc("qdisc", "show", "dev", "in0")).stdout).toContain("clsact");
  expect((await tc("qdisc", "show", "dev", "out0")).stdout).not.toContain("clsact");
});

test("a foreign TCX program goes on", async () => {
  detachAfterwards();
  const object = openObject(testProgram("loader"));
  const handle = openNetns(name);
  onTestFinished(() => {
    object.close();
    handle.close();
  });
  object.load();
  const foreign = object.program("count");
  const [ifindex, link] = withNetns(handle, () => {
    const index = interfaceIndex("in0");
    return [index, attachTcx(foreign, index, "ingress")] as const;
  });
  onTestFinished(() => link.close());
  const attached = () => withNetns(handle, () => queryTcx(ifindex, "ingress"));
  const before = attached();
  await host.print("attach", "-n", "in0", ...netns, "--max-flows", "8");
  expect(attached().map(({ programId }) => programById(programId).name)).toEqual([
    "count",
    "ioam_ingress",
  ]);
  await send(1);
  await counted(1);
  await host.print("detach", "--all", ...netns);
  expect(attached()).toEqual(before);
  link.close();
});
