// A network namespace that is deleted and comes back under the same name: the agent goes on with it.
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { generator } from "../lab/generator.ts";
import { setUpNode, traceOption } from "../lab/ioam-kernel.ts";
import { createNetns, type Netns } from "../lab/netns.ts";
import { packetOctets } from "../lab/packet.ts";
import type { Background } from "../lab/process.ts";
import { MAC } from "../lab/router.ts";
import { type Station, station } from "../lab/station.ts";
import { CommandLab, jsonLines, type LogLine, warnings } from "./command-lab.ts";
import type { PrivateHost } from "./private-host.ts";
import { expectConserved } from "./status-json.ts";

const TRACE = traceOption({ namespace: 7, traceType: 0x800000, nodes: [], room: 16 });

let commands: CommandLab;
let host: PrivateHost;
/** Packets come from here: its devices far0, far1… are the other ends of near0. */
let far: Netns;
let sender: Station;
let ends = 0;

beforeAll(async () => {
  commands = await CommandLab.start();
  ({ host } = commands);
  far = await createNetns("far", `${commands.name}-b`);
  sender = station(far);
});

afterAll(async () => {
  await far?.close();
  await commands?.close();
});

/** Makes the network namespace that comes and goes, without a device. */
async function bare(): Promise<Netns> {
  const near = await createNetns("near", `${commands.name}-b`);
  onTestFinished(() => near.close());
  return near;
}

/** Gives it a device, and IOAM's trace on it; the name of the other end. */
async function connect(near: Netns, device = "near0"): Promise<string> {
  const end = `far${ends++}`;
  await near.ip(
    `link add ${device} address ${MAC.in0} type veth peer name ${end} netns ${far.name}`,
    `link set ${device} multicast off`,
    `link set ${device} up`,
  );
  await far.ip(`link set ${end} multicast off`, `link set ${end} up`);
  await near.features(device, { gro: true });
  await eventually(`${device} is up`, async () => {
    const links = await near.ipJson<{ ifname: string; operstate: string }[]>("link");
    return links.some(({ ifname, operstate }) => ifname === device && operstate === "UP");
  });
  return end;
}

async function connected(): Promise<{ near: Netns; end: string }> {
  const near = await bare();
  const end = await connect(near);
  await setUpNode(near, { id: 5, interfaces: {}, enabled: ["near0"], namespaces: [{ id: 7 }] });
  return { near, end };
}

/** A packet of each flow, with a trace for the kernel and a DEX option for the meter. */
async function send(end: string, ...flowIds: number[]): Promise<void> {
  const packets = flowIds.map((flowId) => dexPacket({ flowId, sequence: 1, before: [TRACE] }));
  await sender.send(end, ...packets.map(packetOctets));
}

interface Printed {
  event?: string;
  netns: string;
  ioamFlowId: number;
  packetDeltaCount: number;
}

function printed(of: Background): { flows: Printed[]; traces: Printed[] } {
  const lines = jsonLines<Printed>(of.output);
  return {
    flows: lines.filter(({ event }) => event === undefined),
    traces: lines.filter(({ event }) => event === "trace"),
  };
}

function logged(of: Background, msg: string): LogLine[] {
  return jsonLines<LogLine>(of.errors).filter((line) => line.msg === msg);
}

/** Waits until the agent has said so as many times. */
async function says(of: Background, msg: string, times = 1): Promise<void> {
  await eventually(`${times} × "${msg}"`, () => logged(of, msg).length >= times);
}

const BACK = "netns is back: metering goes on";
/** Only when a look falls between the making of a network namespace and that of its device. */
const BARE = "netns is back, but none of its interfaces: waiting for them";
const LISTENING = "listening to the kernel's IOAM events";

/** Metered and traced, with an interval that no test waits for. */
const CONFIG = `
interfaces: [{ name: near0, netns: NEAR }]
meter: { activeTimeout: 1h, maxFlows: 64 }
trace: { source: kernel }
outputs: [{ console: {} }]
`;

function configure(text: string): Promise<string> {
  return commands.configure(text.replace(/\bNEAR\b/g, `${commands.name}-b-near`));
}

test("flows and traces of each of three in a row: all exported, and the agent does not end", async () => {
  let { near, end } = await connected();
  const running = await commands.agent("-c", await configure(CONFIG));
  for (const round of [1, 2, 3]) {
    await send(end, round, 10 + round);
    await commands.counted(2);
    await eventually("both traces", () => printed(running).traces.length === 2 * round);
    if (round === 3) break;
    await near.close();
    // The second time there is no moment without one of that name.
    if (round === 1) await says(running, "no longer metering");
    ({ near, end } = await connected());
    await says(running, BACK, round);
    await says(running, LISTENING, round + 1);
  }
  const status = await commands.status();
  expectConserved(status, 2);
  expect(status.counters).toMatchObject({ netlinkEvents: 2, netlinkDrops: 0 });
  expect((await running.stop()).code).toBe(0);
  const { flows } = printed(running);
  expect(flows.map((flow) => [flow.ioamFlowId, flow.packetDeltaCount])).toEqual(
    [1, 11, 2, 12, 3, 13].map((flowId) => [flowId, 1]),
  );
  expect(logged(running, "no longer metering")).toMatchObject(
    [1, 2, 3].map(() => ({ netns: near.name, dexPackets: 2, exportedPackets: 2 })),
  );
  const said = warnings(running).filter(({ msg }) => msg !== BARE);
  expect(said.map(({ msg }) => msg)).toEqual(
    [1, 2].flatMap(() => [
      expect.stringMatching(/^netns was deleted: its last/),
      expect.stringMatching(/^netns was deleted: its last/),
    ]),
  );
  await host.print("detach", "--all");
  await host.clean(near);
});

test("deleted while packets pass: what its meter counted is what was exported", async () => {
  const { near, end } = await connected();
  const running = await commands.agent("-c", await configure(CONFIG));
  const packet = dexPacket({ source: "fd00:1::" });
  using gen = generator(far, end, { flows: 20, packet });
  const sending = gen.send({ packets: 100_000, rate: 50_000 });
  await eventually("packets pass", async () => (await commands.status()).counters.dexPackets! > 0);
  await near.close();
  await says(running, "no longer metering");
  await sending;
  const again = await connected();
  await says(running, BACK);
  await send(again.end, 1000);
  await commands.counted(1);
  expect((await running.stop()).code).toBe(0);
  const [first, second] = logged(running, "no longer metering");
  const { flows } = printed(running);
  const sum = flows.reduce((packets, { packetDeltaCount }) => packets + packetDeltaCount, 0);
  expect(first!.dexPackets).toBeGreaterThan(0);
  expect(sum).toBe(Number(first!.dexPackets) + 1);
  expect(second).toMatchObject({ dexPackets: 1, exportedPackets: 1 });
  await host.print("detach", "--all");
  await host.clean(again.near);
});

test("back without its interfaces: each is attached to when it is there", async () => {
  const first = await connected();
  await connect(first.near, "near1");
  const text = CONFIG.replace(
    "interfaces: [",
    "interfaces: [{ name: near1, netns: NEAR, direction: both }, ",
  );
  const running = await commands.agent("-c", await configure(text));
  expect(await commands.attached()).toEqual(["near0 ingress", "near1 egress", "near1 ingress"]);
  await first.near.close();
  await says(running, "no longer metering");
  const near = await bare();
  await says(running, BARE);
  await connect(near, "near1");
  await says(running, BACK);
  expect(await commands.attached()).toEqual(["near1 egress", "near1 ingress"]);
  await connect(near, "near0");
  await says(running, "attached");
  expect(await commands.attached()).toEqual(["near0 ingress", "near1 egress", "near1 ingress"]);
  expect((await running.stop()).code).toBe(0);
  expect((await commands.status()).attachments).toEqual([]);
  await host.print("detach", "--all");
  await host.clean(near);
});

test("reloads while it is gone: accepted, and what they say holds when it is back", async () => {
  const first = await connected();
  const running = await commands.agent("-c", await configure(CONFIG));
  const reload = async (text: string, times: number) => {
    await configure(text);
    running.child.kill("SIGHUP");
    await says(running, "configuration reloaded", times);
  };
  await first.near.close();
  await says(running, "no longer metering");
  await reload(CONFIG.replace("1h", "100ms"), 1);
  const second = await connected();
  await says(running, BACK);
  await send(second.end, 1);
  await eventually("the new interval holds", () => printed(running).flows.length === 1);

  // No longer asked for, beside one that is there all the time.
  await second.near.close();
  await says(running, "no longer metering", 2);
  const other = CONFIG.replace("near0, netns: NEAR", "in0, netns: ROUTER");
  await reload(other, 2);
  const third = await connected();
  await reload(other.replace("1h", "2h"), 3);
  await reload(other, 4);
  expect(await commands.attached()).toEqual(["in0 ingress"]);
  // Asked for again: at once.
  await reload(CONFIG, 5);
  expect(await commands.attached()).toEqual(["near0 ingress"]);
  await send(third.end, 2);
  await commands.counted(1);
  expect((await running.stop()).code).toBe(0);
  expect(printed(running).flows.map(({ ioamFlowId }) => ioamFlowId)).toEqual([1, 2]);
  await host.print("detach", "--all");
  await host.clean(third.near, commands.lab.router);
});

test("traces of one that is not there yet, beside another's", async () => {
  const file = await configure(`
trace: { source: kernel, netns: [NEAR, ROUTER] }
outputs: [{ console: {} }]
`);
  const running = await commands.agent("-c", file);
  expect(warnings(running)).toMatchObject([
    { netns: commands.name, msg: expect.stringMatching(/^no interface has IOAM enabled: /) },
    { err: { code: "NETNS_NOT_FOUND" } },
  ]);
  const { near, end } = await connected();
  await says(running, LISTENING, 2);
  await send(end, 1);
  await eventually("its trace", () => printed(running).traces.length === 1);
  expect(printed(running).traces).toMatchObject([{ netns: near.name }]);
  expect((await running.stop()).code).toBe(0);
  expect(warnings(running)).toHaveLength(2);
  await host.print("detach", "--all");
  await host.clean(near);
});
