// The agent and the kernel's IOAM events: what it exports, read by somebody else, equals the packets.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { ianaElements, ioamElements } from "../../src/ipfix/index.ts";
import { type Collector, collector } from "../lab/collector.ts";
import { eventually } from "../lab/eventually.ts";
import { exportedHop } from "../lab/exported-node.ts";
import { type IoamNode, setUpNode, type TraceModel, tracePacket } from "../lab/ioam-kernel.ts";
import { type NodeModel, nodeOctets, randomNode, traceTypeOf } from "../lab/ioam-node.ts";
import { messages } from "../lab/ipfix-messages.ts";
import { type DecodedRecord, ipfixDump } from "../lab/ipfixdump.ts";
import { added, NONE } from "../lab/kernel-node.ts";
import { createNetns } from "../lab/netns.ts";
import { concat } from "../lab/octets.ts";
import { packetOctets } from "../lab/packet.ts";
import { randomNumbers } from "../lab/random.ts";
import { CommandLab, jsonLines, warnings } from "./command-lab.ts";

const ROUTER: IoamNode = {
  id: 42,
  idWide: 0x11223344556677n,
  interfaces: { in0: { id: 11, idWide: 0x10000011 }, out0: { id: 12, idWide: 0x10000012 } },
  enabled: ["in0"],
  namespaces: [{ id: 123, data: 0xdeadbee0, wide: 0xdeadbeefcafef00dn, schema: 777 }, { id: 7 }],
  schemas: { 777: "a-schema-of-20-bytes" },
};
const SINK: IoamNode = {
  id: 43,
  interfaces: { snk0: { id: 21 }, lo: { id: 22 } },
  enabled: ["snk0"],
  namespaces: [{ id: 123 }, { id: 7, wide: 5n }],
};
const ROOM = 232;
const HOP_LIMIT = 64;
/** ipfixDump is older than RFC 9951. */
const ELEMENTS = [...ioamElements(), ...ianaElements().filter(({ id }) => id >= 530 && id <= 533)];
/** Template. */
const PATH_DELAY = 263;

let commands: CommandLab;
const random = randomNumbers(0x1f0);

beforeAll(async () => {
  commands = await CommandLab.start();
  const { lab } = commands;
  await Promise.all([setUpNode(lab.router, ROUTER), setUpNode(lab.sink, SINK)]);
});
afterAll(() => commands?.close());

async function send(...traces: TraceModel[]): Promise<void> {
  const frames = traces.map((trace) => packetOctets(tracePacket(trace, HOP_LIMIT)));
  await commands.sender.send("src0", ...frames);
}

function size(traceType: number, node: NodeModel): number {
  return nodeOctets(traceType, node).length;
}

/** Nodes along the path after it has passed a node, if there is room. */
function passed(
  trace: TraceModel,
  node: IoamNode,
  [ingress, egress]: [string, string],
  hop: number,
) {
  const known = node.namespaces.find(({ id }) => id === trace.namespace)!;
  const own = added(node, known, [ingress, egress], HOP_LIMIT - hop);
  const room = trace.room - size(trace.traceType, own);
  return room < 0 ? { ...trace, room: 0 } : { ...trace, room, nodes: [...trace.nodes, own] };
}

/** Times that are none of this test's, and no microseconds: such a trace has no path delay. */
function withOtherTimes(node: NodeModel): NodeModel {
  const values = new Map(node.values);
  if (values.has(2)) values.set(2, BigInt(random(1e9)));
  if (values.has(3)) values.set(3, BigInt(1e6 + random(1e9)));
  return { ...node, values };
}

function randomTrace(): TraceModel {
  for (;;) {
    const bits = Array.from({ length: 23 }, (_, bit) => bit).filter(() => random(3) === 0);
    const traceType = traceTypeOf(bits);
    if (traceType === 0) continue;
    const nodes: NodeModel[] = [];
    let filled = 0;
    for (let n = random(12); n > 0; n--) {
      const node = withOtherTimes(randomNode(traceType, random));
      if (filled + size(traceType, node) > ROOM - 40) break;
      filled += size(traceType, node);
      nodes.push(node);
    }
    return { namespace: [123, 7][random(2)]!, traceType, nodes, room: ROOM - filled };
  }
}

/** A record without what only the agent and the kernel know: times of this test are 0. */
function comparable({ fields }: DecodedRecord): Record<string, string> {
  const { observationTimeMilliseconds: _time, ioamTraceId: _id, ...rest } = fields;
  const seconds = Number(rest.ioamTimestampSeconds);
  if (Math.abs(seconds - Date.now() / 1000) < 60) rest.ioamTimestampSeconds = "0";
  if (Number(rest.ioamTimestampFraction) < 1e6) rest.ioamTimestampFraction = "0";
  const { ioamUndefinedData: undefinedData, ioamSnapshotData: snapshot } = rest;
  return undefinedData === undefined || snapshot === undefined
    ? rest
    : { ...rest, ioamUndefinedData: octets(undefinedData), ioamSnapshotData: octets(snapshot) };
}

/** Digits of an octet array as ipfixDump prints it. */
function octets(text: string): string {
  return text.toLowerCase().replace(/^0x/, "");
}

/** What ipfixDump reads in what a collector got, without options records. */
async function decoded(
  receiver: Collector,
): Promise<{ records: DecodedRecord[]; warnings: string[] }> {
  const { file } = await receiver.sender();
  const { records, warnings } = await ipfixDump(file, { elements: ELEMENTS });
  return { records: records.filter(({ options }) => !options), warnings };
}

/** The same of the messages of an observation domain alone, without records of path delay. */
async function decodedIn(domain: number, receiver: Collector): Promise<DecodedRecord[]> {
  const all = await readFile((await receiver.sender()).file);
  const own = [...messages(all)].filter((message) => message.domain === domain);
  const file = join(commands.folder.path, `domain-${domain}.ipfix`);
  await writeFile(file, concat(...own.map(({ octets }) => octets)));
  const { records, warnings } = await ipfixDump(file, { elements: ELEMENTS });
  expect(warnings).toEqual([]);
  return records.filter(({ options, template }) => !options && template !== PATH_DELAY);
}

/** What traces were exported, whatever their order: the hops of each along the path. */
function traces(records: DecodedRecord[]): string[] {
  const hops = new Map<string, DecodedRecord[]>();
  for (const record of records) {
    const id = record.fields.ioamTraceId!;
    hops.set(id, [...(hops.get(id) ?? []), record]);
  }
  return [...hops.values()].map((one) => JSON.stringify(one.map(comparable).map(sorted))).sort();
}

function sorted(fields: Record<string, string>): [string, string][] {
  return Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
}

function expectedTrace({ namespace, traceType, nodes }: TraceModel): string {
  const hops = nodes.map((_, hop) => exportedHop({ namespace, traceType, nodes, hop }));
  return JSON.stringify(hops.map(sorted));
}

test("two network namespaces at once, any trace type: field by field", async () => {
  await using receiver = await collector();
  const { lab } = commands;
  const file = await commands.configure(`
observationDomains: { ROUTER: 10, ${lab.sink.name}: 20 }
trace: { source: kernel, netns: [ROUTER, ${lab.sink.name}] }
collectors: [{ address: "${receiver.target}", mtu: 1400 }]
`);
  const sent = [
    ...Array.from({ length: 23 }, (_, bit) => ({
      namespace: 123,
      traceType: traceTypeOf([bit]),
      nodes: [],
      room: 64,
    })),
    ...Array.from({ length: 300 }, randomTrace),
  ];
  const first = sent.map((trace) => passed(trace, ROUTER, ["in0", "out0"], 0));
  const second = first.map((trace) => passed(trace, SINK, ["snk0", NONE], 1));
  const running = await commands.agent("-c", file);
  await send(...sent.slice(0, 150));
  await send(...sent.slice(150));
  await eventually("all events", async () => {
    return (await commands.status()).counters.netlinkEvents === 2 * sent.length;
  });
  expect((await running.stop()).code).toBe(0);
  expect(warnings(running)).toEqual([]);

  const { records, warnings: complaints } = await decoded(receiver);
  expect(complaints).toEqual([]);
  const events = [...first, ...second];
  const { counters, agent } = await commands.status();
  expect(agent).toBeNull();
  expect(counters).toMatchObject({
    netlinkEvents: events.length,
    netlinkDrops: 0,
    netlinkMalformed: 0,
    traceEmpty: events.filter(({ nodes }) => nodes.length === 0).length,
    traceRecords: records.length,
    exportedTraceRecords: records.length,
    droppedTraceRecords: 0,
  });
  for (const [domain, ofNode] of [
    [10, first],
    [20, second],
  ] as const) {
    const hops = await decodedIn(domain, receiver);
    const wanted = ofNode.filter(({ nodes }) => nodes.length > 0).map(expectedTrace);
    expect(traces(hops)).toEqual(wanted.sort());
  }
  await commands.host.print("detach", "--all");
});

test("path delay: the last timestamp minus the first; one below zero is counted alone", async () => {
  await using receiver = await collector();
  const file = await commands.configure(`
trace: { source: kernel, netns: [ROUTER] }
collectors: [{ address: "${receiver.target}" }]
`);
  const running = await commands.agent("-c", file);
  const now = Math.floor(Date.now() / 1000);
  const starts = [now - 1, now - 3000, now - 100_000, now + 3000].map(
    (seconds): NodeModel => ({
      values: new Map([
        [2, BigInt(seconds)],
        [3, BigInt(random(1e6))],
      ]),
    }),
  );
  const middle = { values: new Map([2, 3].map((bit) => [bit, 0xffffffffn] as const)) };
  await send(
    ...starts.map((node, i) => ({
      namespace: 123,
      traceType: traceTypeOf([2, 3]),
      nodes: i % 2 === 0 ? [node] : [node, middle],
      room: 8,
    })),
  );
  await eventually("all events", async () => {
    return (await commands.status()).counters.exportedTraceRecords === 2 + 3 + 2 + 3 + 3;
  });
  const { counters } = await commands.status();
  expect(counters).toMatchObject({ pathDelayNegative: 1, traceRecords: 13 });
  await running.stop();
  const { records } = await decoded(receiver);
  const delays = records.filter(({ template }) => template === PATH_DELAY);
  expect(delays).toHaveLength(3);
  for (const [i, { fields }] of delays.entries()) {
    const hops = records.filter(
      (one) => one.template !== PATH_DELAY && one.fields.ioamTraceId === fields.ioamTraceId,
    );
    const time = (record: DecodedRecord): number =>
      1e6 * Number(record.fields.ioamTimestampSeconds) +
      Number(record.fields.ioamTimestampFraction);
    expect(time(hops[0]!)).toBe(
      Number(starts[i]!.values.get(2)) * 1e6 + Number(starts[i]!.values.get(3)),
    );
    const delay = time(hops.at(-1)!) - time(hops[0]!);
    const narrow = String(Math.min(delay, 0xffffffff));
    expect(fields).toMatchObject({
      ioamNamespaceId: "123",
      ioamTraceType: String(traceTypeOf([2, 3])),
      ioamHopCount: String(hops.length),
      pathDelayMeanDeltaMicroseconds: narrow,
      pathDelayMinDeltaMicroseconds: narrow,
      pathDelayMaxDeltaMicroseconds: narrow,
      pathDelaySumDeltaMicroseconds: String(delay),
    });
  }
  await commands.host.print("detach", "--all");
});

test("beside the meter, in the netns of the interfaces; status shows the node", async () => {
  const file = await commands.configure(`
interfaces: [{ name: in0, netns: ROUTER }]
trace: { source: kernel }
outputs: [{ console: {} }]
`);
  const running = await commands.agent("-c", file);
  await commands.send(1);
  await send({ namespace: 7, traceType: 0x800000, nodes: [], room: 8 });
  await commands.counted(1);
  const status = await eventually("it is exported", async () => {
    const now = await commands.status();
    return now.counters.exportedTraceRecords === 1 && now;
  });
  expect(status.agent).toEqual({ pid: running.pid, state: "running" });
  expect(status.traces).toEqual([{ netns: commands.name, pid: running.pid }]);
  expect(status.nodes).toContainEqual({
    netns: commands.name,
    ioamNodeId: 42,
    ioamNodeIdWide: Number(ROUTER.idWide),
    namespaces: [
      { ioamNamespaceId: 7 },
      {
        ioamNamespaceId: 123,
        ioamNamespaceData: 0xdeadbee0,
        ioamNamespaceDataWide: String(0xdeadbeefcafef00dn),
        ioamSnapshotSchemaId: 777,
      },
    ],
    schemas: [
      {
        ioamSnapshotSchemaId: 777,
        ioamSnapshotData: Buffer.from("a-schema-of-20-bytes").toString("hex"),
      },
    ],
    interfaces: [
      { interfaceName: "in0", enabled: true, ioamInterfaceId: 11, ioamInterfaceIdWide: 0x10000011 },
      {
        interfaceName: "out0",
        enabled: false,
        ioamInterfaceId: 12,
        ioamInterfaceIdWide: 0x10000012,
      },
    ],
    complete: true,
  });
  const text = await commands.host.print("status");
  expect(text).toContain(`IOAM node of netns ${commands.name}: id 42, wide ${ROUTER.idWide}`);
  expect(text).toContain("1 record of them: 1 exported, 0 dropped.");
  expect((await running.stop()).code).toBe(0);
  const [trace, flow] = jsonLines<Record<string, unknown>>(running.output);
  expect(trace).toMatchObject({
    event: "trace",
    netns: commands.name,
    ioamNamespaceId: 7,
    ioamTraceType: "0x800000",
    nodes: [{ ioamHopIndex: 0, ioamHopLimit: 63, ioamNodeId: 42 }],
  });
  expect(flow).toMatchObject({ ioamFlowId: 1, packetDeltaCount: 1 });
  await commands.host.print("detach", "--all");
  await commands.host.clean(commands.lab.router);
});

test("an agent in its own netns: status elsewhere says which that is, and shows the node", async () => {
  const file = await commands.configure(`
trace: { source: kernel }
outputs: [{ console: {} }]
`);
  const { lab, name, host } = commands;
  const running = host.start(["agent", "-c", file], { inside: lab.router });
  onTestFinished(async () => {
    await running.stop("SIGKILL");
  });
  await running.until(/"msg":"running"/);
  const { traces, nodes } = await commands.status();
  expect(traces).toEqual([{ netns: name, pid: running.pid }]);
  expect(nodes).toContainEqual(expect.objectContaining({ netns: name, ioamNodeId: 42 }));
  expect(await host.print("status")).toContain(`Kernel events of netns ${name}: 0 received`);
  const there = await host.ioamctl(["status", "--json"], { inside: lab.router });
  expect(JSON.parse(there.stdout).traces).toEqual([{ netns: null, pid: running.pid }]);
  expect((await running.stop()).code).toBe(0);
  await host.print("detach", "--all");
});

test("one agent alone exports the events of a netns; another netns is free", async () => {
  const file = await commands.configure(`
trace: { source: kernel, netns: [ROUTER] }
outputs: [{ console: {} }]
`);
  const running = await commands.agent("-c", file);
  const second = await commands.host.ioamctl(["agent", "-c", file]);
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(
    new RegExp(`ioamctl agent: an agent \\(pid ${running.pid}\\) already exports the kernel's`),
  );
  expect((await running.stop()).code).toBe(0);
  await commands.host.print("detach", "--all");
});

test("a netns that is not there or goes away: a warning, and the rest goes on", async () => {
  const passing = await createNetns("passing");
  await passing.sysctl({ "net.ipv6.conf.lo.ioam6_enabled": 1 });
  const file = await commands.configure(`
trace: { source: kernel, netns: [nowhere, ${passing.name}, ROUTER] }
outputs: [{ console: {} }]
`);
  const running = await commands.agent("-c", file);
  expect(warnings(running)).toMatchObject([
    { level: "warn", netns: "nowhere", err: { code: "NETNS_NOT_FOUND" } },
  ]);
  await passing.close();
  await running.until(/netns was deleted/);
  await send({ namespace: 7, traceType: 0x800000, nodes: [], room: 8 });
  const status = await eventually("it is exported", async () => {
    const now = await commands.status();
    return now.counters.exportedTraceRecords === 1 && now;
  });
  expect(status.traces).toEqual([{ netns: commands.name, pid: running.pid }]);
  expect((await running.stop()).code).toBe(0);
  await commands.host.print("detach", "--all");
  await commands.host.clean();
});

test("nothing to listen to at all is an error; so are events without CAP_NET_ADMIN", async () => {
  const config = (netns: string) => `
trace: { source: kernel, netns: [${netns}] }
outputs: [{ console: {} }]
`;
  const nowhere = await commands.host.ioamctl([
    "agent",
    "-c",
    await commands.configure(config("nowhere")),
  ]);
  expect(nowhere.code).toBe(1);
  expect(nowhere.stderr).toMatch(
    /^ioamctl agent: cannot open netns nowhere: there is none[^\n]*\n$/,
  );
  const file = await commands.configure(config("ROUTER"));
  const by = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"];
  const bare = await commands.host.ioamctl(["agent", "-c", file], { by });
  expect([bare.code, bare.stdout]).toEqual([1, ""]);
  expect(bare.stderr).toMatch(
    /^ioamctl agent: not permitted: the kernel's IOAM events need CAP_NET/,
  );
});
