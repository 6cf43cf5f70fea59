// Real events of the real kernel: decoded equals what the packet and the node's settings say.
import { afterAll, beforeAll, expect, test } from "vitest";
import { openNetns } from "../../src/native/bpf-loader/index.ts";
import { readNodeSettings } from "../../src/netlink/index.ts";
import { eventually } from "../lab/eventually.ts";
import {
  describeTrace,
  type IoamNode,
  setUpNode,
  type TraceModel,
  textOctets,
  tracePacket,
} from "../lab/ioam-kernel.ts";
import {
  decodedNode,
  type NodeModel,
  nodeOctets,
  randomNode,
  traceTypeOf,
} from "../lab/ioam-node.ts";
import { KernelListener } from "../lab/kernel-listener.ts";
import { added, NONE } from "../lab/kernel-node.ts";
import type { Netns } from "../lab/netns.ts";
import { packetOctets } from "../lab/packet.ts";
import { randomNumbers } from "../lab/random.ts";
import { type RouterLab, router } from "../lab/router.ts";
import { type Station, station } from "../lab/station.ts";
import type { DecodedEvent } from "../unit/netlink/decoded-event.ts";

const ROUTER: IoamNode = {
  id: 42,
  idWide: 0x11223344556677n,
  interfaces: { in0: { id: 11, idWide: 0x10000011 }, out0: { id: 12, idWide: 0x10000012 } },
  enabled: ["in0"],
  namespaces: [
    { id: 123, data: 0xdeadbee0, wide: 0xdeadbeefcafef00dn, schema: 777 },
    { id: 7 },
    { id: 0, data: 1 },
  ],
  schemas: { 777: "a-schema-of-20-bytes" },
};
/** The last node: interface and queue that a packet would leave by are not available. */
const SINK: IoamNode = {
  id: 43,
  interfaces: { snk0: { id: 21 }, lo: { id: 22, idWide: 0x20000022 } },
  enabled: ["snk0"],
  namespaces: [{ id: 123, schema: 5 }, { id: 7, wide: 5n }, { id: 0 }],
  schemas: { 5: "four" },
};
const ROOM = 232; // what an option holds, whatever else stands in the header

let lab: RouterLab;
let sender: Station;
let atRouter: KernelListener;
let atSink: KernelListener;
const random = randomNumbers(0x10a);

beforeAll(async () => {
  lab = await router();
  await Promise.all([setUpNode(lab.router, ROUTER), setUpNode(lab.sink, SINK)]);
  sender = station(lab.source);
  atRouter = new KernelListener(lab.router, { keep: true });
  atSink = new KernelListener(lab.sink, { keep: true });
});
afterAll(async () => {
  atRouter?.[Symbol.dispose]();
  atSink?.[Symbol.dispose]();
  await lab.close();
});

function size(traceType: number, node: NodeModel): number {
  return nodeOctets(traceType, node).length;
}

/** Takes the times out of the last node of an event, checked against the time now. */
function withoutTime(event: DecodedEvent, since: number): DecodedEvent {
  const last = { ...event.nodes.at(-1) };
  const now = Date.now() / 1000;
  if (last.ioamTimestampSeconds !== undefined) {
    expect(last.ioamTimestampSeconds).toBeGreaterThanOrEqual(Math.floor(since));
    expect(last.ioamTimestampSeconds).toBeLessThanOrEqual(now);
    last.ioamTimestampSeconds = 0;
  }
  if (last.ioamTimestampFraction !== undefined) {
    expect(last.ioamTimestampFraction).toBeLessThan(1_000_000);
    last.ioamTimestampFraction = 0;
  }
  return { ...event, nodes: [...event.nodes.slice(0, -1), last] };
}

async function take(listener: KernelListener, count: number): Promise<DecodedEvent[]> {
  await eventually(`${count} events`, () => listener.kept.length >= count);
  return listener.kept.splice(0);
}

/** Sends traces and compares each event at router and sink, where the packet comes that far. */
async function check(traces: TraceModel[], hopLimit = 64): Promise<void> {
  const since = Date.now() / 1000;
  const frames = traces.map((trace) => packetOctets(tracePacket(trace, hopLimit)));
  await sender.send("src0", ...frames);
  const first = await take(atRouter, traces.length);
  const second = await take(atSink, hopLimit > 1 ? traces.length : 0);
  for (const [i, trace] of traces.entries()) {
    const { traceType, namespace } = trace;
    const known = (node: IoamNode) => node.namespaces.find(({ id }) => id === namespace)!;
    const nodes = [...trace.nodes];
    const event = () => ({
      kind: "trace",
      namespace,
      traceType,
      flowId: undefined,
      sequence: undefined,
      nodes: nodes.map((node) => decodedNode(traceType, node)),
    });
    let room = trace.room;
    const pass = (node: NodeModel): boolean => {
      const fits = size(traceType, node) <= room;
      if (fits) nodes.push(node);
      room = fits ? room - size(traceType, node) : 0;
      return fits;
    };
    const here = pass(added(ROUTER, known(ROUTER), ["in0", "out0"], hopLimit));
    const atFirst = here ? withoutTime(first[i]!, since) : first[i];
    expect(atFirst, describeTrace(trace)).toEqual(event());
    if (second[i] === undefined) continue;
    if (!here) {
      // Overflow is for good.
      expect(second[i], describeTrace(trace)).toEqual(event());
      continue;
    }
    nodes.pop();
    nodes.push(timed(added(ROUTER, known(ROUTER), ["in0", "out0"], hopLimit), first[i]!));
    const there = pass(added(SINK, known(SINK), ["snk0", NONE], hopLimit - 1));
    const atSecond = there ? withoutTime(second[i]!, since) : second[i];
    expect(atSecond, describeTrace(trace)).toEqual(event());
  }
}

/** The node with the times that an event says. */
function timed(node: NodeModel, event: DecodedEvent): NodeModel {
  const said = event.nodes.at(-1)!;
  const values = new Map(node.values);
  values.set(2, BigInt(said.ioamTimestampSeconds ?? 0));
  values.set(3, BigInt(said.ioamTimestampFraction ?? 0));
  return { ...node, values };
}

test("every bit alone", async () => {
  for (const { id } of ROUTER.namespaces) {
    await check(
      Array.from({ length: 23 }, (_, bit) => ({
        namespace: id,
        traceType: traceTypeOf([bit]),
        nodes: [],
        room: 64,
      })),
    );
  }
});

test("0 to 13 nodes before: the event at the last node has up to 15", async () => {
  for (const traceType of [0x800000, 0xc00000, 0x808000, 0x000002, 0x040010]) {
    await check(
      Array.from({ length: 14 }, (_, count) => {
        const nodes = Array.from({ length: count }, () => ({
          ...randomNode(traceType, random),
          snapshot: { schema: count, data: textOctets("snap") },
        }));
        const filled = nodes.reduce((sum, node) => sum + size(traceType, node), 0);
        return { namespace: 123, traceType, nodes, room: ROOM - filled };
      }),
    );
  }
});

test("random trace types, some nodes before, all the room there can be", async () => {
  const traces = Array.from({ length: 400 }, (): TraceModel => {
    const traceType = traceTypeOf(
      Array.from({ length: 23 }, (_, bit) => bit).filter(() => random(3) === 0),
    );
    const nodes: NodeModel[] = [];
    let filled = 0;
    for (let n = random(14); n > 0 && traceType > 0; n--) {
      const node = randomNode(traceType, random);
      if (filled + size(traceType, node) > ROOM - 80) break;
      filled += size(traceType, node);
      nodes.push(node);
    }
    return { namespace: [123, 7, 0][random(3)]!, traceType, nodes, room: ROOM - filled };
  }).filter(({ traceType }) => traceType > 0);
  for (let from = 0; from < traces.length; from += 50) await check(traces.slice(from, from + 50));
});

test("overflow: no room, and room for a part of the node's data only", async () => {
  const traces = [0xf00000, 0x000002, 0x00e000, 0xfffff2].flatMap((traceType) => {
    const needed = size(traceType, added(ROUTER, ROUTER.namespaces[0]!, ["in0", "out0"], 64));
    return [0, 4, needed - 4].map((room) => ({
      namespace: 123,
      traceType,
      nodes: [randomNode(traceType, random)],
      room,
    }));
  });
  await check(traces);
});

test("hop limit 1: the packet dies here, and the event says 0", async () => {
  const trace = { namespace: 123, traceType: 0xf08002, nodes: [], room: 128 };
  await check([trace], 1);
});

test("no event of an unknown namespace, of a Direct Exporting option, and when IOAM is off", async () => {
  const good: TraceModel = { namespace: 123, traceType: 0x800000, nodes: [], room: 8 };
  await sender.send("src0", packetOctets(tracePacket({ ...good, namespace: 999 })));
  await lab.router.sysctl({ "net.ipv6.conf.in0.ioam6_enabled": 0 });
  await sender.send("src0", packetOctets(tracePacket(good)));
  await lab.router.sysctl({ "net.ipv6.conf.in0.ioam6_enabled": 1 });
  await sender.send("src0", packetOctets(tracePacket(good)));
  // At the sink the second of them came in by an interface that is enabled.
  expect(await take(atSink, 2)).toHaveLength(2);
  expect(await take(atRouter, 1)).toHaveLength(1);
  expect(atRouter.counters().netlinkMalformed).toBe(0);
  expect(atSink.counters().netlinkMalformed).toBe(0);
});

function settingsOf(netns: Netns): ReturnType<typeof readNodeSettings> {
  const handle = openNetns(netns.name);
  const settings = readNodeSettings(handle);
  handle.close();
  return settings;
}

test("the node's settings are those that ip and sysctl made", () => {
  const found = settingsOf(lab.router);
  expect(found.ioamNodeId).toBe(42);
  expect(found.ioamNodeIdWide).toBe(0x11223344556677n);
  expect(found.namespaces.sort((a, b) => b.ioamNamespaceId - a.ioamNamespaceId)).toEqual([
    {
      ioamNamespaceId: 123,
      ioamNamespaceData: 0xdeadbee0,
      ioamNamespaceDataWide: 0xdeadbeefcafef00dn,
      ioamSnapshotSchemaId: 777,
    },
    { ioamNamespaceId: 7 },
    { ioamNamespaceId: 0, ioamNamespaceData: 1 },
  ]);
  expect(found.schemas).toEqual([
    { ioamSnapshotSchemaId: 777, ioamSnapshotData: textOctets("a-schema-of-20-bytes") },
  ]);
  expect(found.interfaces).toEqual([
    { interfaceName: "in0", enabled: true, ioamInterfaceId: 11, ioamInterfaceIdWide: 0x10000011 },
    { interfaceName: "out0", enabled: false, ioamInterfaceId: 12, ioamInterfaceIdWide: 0x10000012 },
  ]);
  expect(settingsOf(lab.source)).toEqual({
    namespaces: [],
    schemas: [],
    interfaces: [],
    complete: true,
  });
});

test("as many namespaces and schemas as the kernel's dump holds; it is known when there are more", async () => {
  const namespaces = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => `ioam namespace add ${from + i} data ${from + i}`);
  const schemas = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => `ioam schema add ${from + i} ${"x".repeat(1020)}`);
  await lab.source.ip(...namespaces(1000, 1800), ...schemas(1, 21));
  const found = settingsOf(lab.source);
  expect(found.namespaces).toHaveLength(800);
  expect(found.namespaces.every((one) => one.ioamNamespaceData === one.ioamNamespaceId)).toBe(true);
  expect(found.schemas).toHaveLength(20);
  for (const { ioamSnapshotData: data } of found.schemas) {
    expect(data).toEqual(new Uint8Array(1020).fill(120));
  }
  expect(found.complete).toBe(true);
  await lab.source.ip(...namespaces(2000, 2200));
  expect(settingsOf(lab.source).complete).toBe(false);
  await lab.source.ip(
    ...namespaces(1000, 1800).map((line) => line.replace(/add (\d+).*/, "del $1")),
  );
  expect(settingsOf(lab.source).complete).toBe(true);
});
