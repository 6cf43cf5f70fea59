// Events of both kinds as records, encoded and decoded: every field of every node.
import { describe, expect, it } from "vitest";
import { tracesOf } from "../../../src/agent/trace/exported-trace.ts";
import { TRACE_KIND, TRACE_LAYOUT } from "../../../src/agent/trace/record-layout.ts";
import { TraceIds, TraceRecords } from "../../../src/agent/trace/trace-records.ts";
import { traceTemplates } from "../../../src/agent/trace/trace-template.ts";
import { LINUX_TIMESTAMPS } from "../../../src/ioam/index.ts";
import {
  compileEncoder,
  ElementRegistry,
  ExportingProcess,
  ioamElements,
} from "../../../src/ipfix/index.ts";
import { IoamEvent } from "../../../src/netlink/index.ts";
import { Decoder, hex, unsignedValue, type WireRecord } from "../../conformance/decoder.ts";
import { type ExportedHop, exportedHop } from "../../lab/exported-node.ts";
import { dexAttributes, FAMILY, messageOctets, traceAttributes } from "../../lab/ioam-event.ts";
import {
  decodedNode,
  type NodeModel,
  nodeLengthOf,
  nodeOctets,
  randomNode,
  traceTypeOf,
} from "../../lab/ioam-node.ts";
import { concat } from "../../lab/octets.ts";
import { randomNumbers } from "../../lab/random.ts";
import { MemoryTransport } from "../ipfix/memory-transport.ts";

const random = randomNumbers(0xdec);
const registry = new ElementRegistry(ioamElements());
const TIME = 1_795_218_427_383;

type Hop = { values: Record<string, string>; traceId: bigint; time: bigint };

/** The records as a collector reads them. */
async function exported(records: TraceRecords): Promise<Hop[]> {
  const transport = new MemoryTransport();
  const session = new ExportingProcess({
    destination: transport.destination,
    observationDomainId: 1,
    encoders: traceTemplates(registry).map((template) => compileEncoder(template, TRACE_LAYOUT)),
  });
  const kinds = records.kinds.map((kind) => kind - TRACE_KIND.hop);
  const { buffer, offsets, count } = records;
  const result = await session.export(buffer, offsets, count, kinds);
  session.close();
  expect(result).toMatchObject({ sent: count, error: undefined });
  const decoder = new Decoder();
  const found = transport.messages.flatMap((octets) => decoder.decode(octets).records);
  expect(decoder.gaps).toBe(0);
  for (const message of transport.messages) expect(message.length).toBeLessThanOrEqual(1472);
  return found.map(valuesOf);
}

function valuesOf({ template, values }: WireRecord): Hop {
  const all = Object.fromEntries(
    template.fields.map(({ id, enterprise }, i) => {
      const { name, type } = registry.find(id, enterprise)!;
      const octets = values[i]!;
      return [name, type === "octetArray" ? hex(octets) : String(unsignedValue(octets))];
    }),
  );
  const { ioamTraceId, observationTimeMilliseconds, ...rest } = all;
  return {
    values: rest,
    traceId: BigInt(ioamTraceId!),
    time: BigInt(observationTimeMilliseconds!),
  };
}

function decoded(message: Uint8Array): IoamEvent {
  const event = new IoamEvent(FAMILY);
  expect(event.decode(message, 0, message.length)).toBe(true);
  return event;
}

function traceEvent(namespace: number, traceType: number, nodes: NodeModel[]): IoamEvent {
  const data = concat(...nodes.map((node) => nodeOctets(traceType, node)).reverse());
  const nodeLength = nodeLengthOf(traceType);
  return decoded(messageOctets(1, traceAttributes({ namespace, nodeLength, traceType, data })));
}

function randomType(): number {
  return traceTypeOf(Array.from({ length: 23 }, (_, bit) => bit).filter(() => random(2) === 0));
}

function newRecords(): TraceRecords {
  const records = new TraceRecords(LINUX_TIMESTAMPS, new TraceIds());
  records.setTime(TIME);
  return records;
}

describe("trace records", () => {
  it("are those of the events, of both kinds, in any order", async () => {
    const records = newRecords();
    const expected: ExportedHop[] = [];
    for (let i = 0; i < 500 && !records.full; i++) {
      const traceType = randomType() || 0x800000;
      const namespace = random(0x10000);
      if (random(2) === 0) {
        const nodes = Array.from({ length: 1 + random(4) }, () => randomNode(traceType, random));
        // No microseconds: no path delay either.
        for (const { values } of nodes) if (values.has(3)) values.set(3, 0xfffffffen);
        records.add(traceEvent(namespace, traceType, nodes));
        for (const hop of nodes.keys()) expected.push({ namespace, traceType, nodes, hop });
      } else {
        const node = randomNode(traceType, random);
        const flowId = random(3) === 0 ? null : random(2 ** 32);
        const sequence = random(3) === 0 ? null : random(2 ** 32);
        const event = {
          namespace,
          traceType,
          node,
          ...(flowId !== null && { flowId }),
          ...(sequence !== null && { sequence }),
        };
        records.add(decoded(messageOctets(2, dexAttributes(event))));
        const dex = { flowId, sequence };
        expected.push({ namespace, traceType, nodes: [node], hop: 0, dex });
      }
    }
    const hops = await exported(records);
    const inOrder = hops.sort((a, b) => {
      if (a.traceId !== b.traceId) return a.traceId < b.traceId ? -1 : 1;
      return Number(a.values.ioamHopIndex) - Number(b.values.ioamHopIndex);
    });
    expect(inOrder.map(({ values }) => values)).toEqual(expected.map(exportedHop));
    expect(new Set(hops.map(({ time }) => time))).toEqual(new Set([BigInt(TIME)]));
    expect(records.counts).toEqual({
      traceRecords: expected.length,
      traceEmpty: 0,
      pathDelayNegative: 0,
    });
    // And out of memory, for the console.
    const shown = tracesOf({ netns: "blue", records }).flatMap(({ nodes }) => nodes);
    expect(shown).toEqual(expected.map((o) => decodedNode(o.traceType, o.nodes[o.hop]!)));
  });

  it("take snapshots of any length that an event can have", async () => {
    const records = newRecords();
    const lengths = [0, 4, 248, 252, 256, 1020, 4096];
    const nodes = lengths.map((length) => ({
      values: new Map(),
      snapshot: { schema: length, data: Uint8Array.from({ length }, () => random(256)) },
    }));
    for (const node of nodes) {
      records.add(decoded(messageOctets(2, dexAttributes({ namespace: 1, traceType: 2, node }))));
    }
    const transport = new MemoryTransport();
    transport.mtu = 600;
    const session = new ExportingProcess({
      destination: transport.destination,
      observationDomainId: 1,
      encoders: traceTemplates(registry).map((template) => compileEncoder(template, TRACE_LAYOUT)),
    });
    transport.behaviours.push(Infinity, 0, Infinity);
    const kinds = records.kinds.map((kind) => kind - TRACE_KIND.hop);
    await session.export(records.buffer, records.offsets, records.count, kinds);
    session.close();
    const decoder = new Decoder();
    const found = transport.messages.flatMap((octets) => decoder.decode(octets).records);
    expect(decoder.gaps).toBe(0);
    expect(found.map(({ values }) => values.at(-1)!.length)).toEqual(lengths);
    expect(found.map(({ values }) => hex(values.at(-1)!))).toEqual(
      nodes.map(({ snapshot }) => hex(snapshot.data)),
    );
    // Alone where it must be, in company where there is room.
    expect(transport.messages.some((message) => message.length > 1020)).toBe(true);
    expect(session.counters).toMatchObject({ records: lengths.length, droppedRecords: 0 });
  });

  it("say which of them were dropped", async () => {
    const records = newRecords();
    const node = randomNode(0x000002, random);
    for (let i = 0; i < 20; i++) records.add(traceEvent(1, 0x000002, [node]));
    const transport = new MemoryTransport();
    const session = new ExportingProcess({
      destination: transport.destination,
      observationDomainId: 1,
      encoders: traceTemplates(registry).map((template) => compileEncoder(template, TRACE_LAYOUT)),
    });
    await session.sendTemplates();
    await session.sendTemplates();
    transport.behaviours.push(
      Infinity,
      ..."x"
        .repeat(5)
        .split("")
        .map(() => "EIO"),
    );
    const kinds = records.kinds.map((kind) => kind - TRACE_KIND.hop);
    const { sent, dropped, error } = await session.export(
      records.buffer,
      records.offsets,
      records.count,
      kinds,
    );
    session.close();
    expect(error?.code).toBe("EIO");
    expect(sent + dropped.length).toBe(20);
    expect([...dropped]).toEqual(Array.from({ length: 20 - sent }, (_, i) => sent + i));
    expect(session.counters).toMatchObject({ records: sent, droppedRecords: dropped.length });
  });

  it("count an event without data, and are full before the largest event has no room", () => {
    const records = newRecords();
    records.add(traceEvent(1, 0x800000, []));
    expect(records.counts).toEqual({ traceRecords: 0, traceEmpty: 1, pathDelayNegative: 0 });
    const many = Array.from({ length: 60 }, () => randomNode(0x800000, random));
    const long = Array.from({ length: 2 }, () => randomNode(0xfffffe, random));
    for (const nodes of [many, long]) {
      records.clear();
      const event = traceEvent(1, nodes === many ? 0x800000 : 0xfffffe, nodes);
      while (!records.full) records.add(event);
      expect(records.count).toBeGreaterThan(2500);
      expect(records.count).toBeLessThanOrEqual(4096);
    }
  });

  it("number traces anew in each agent, and carry over", () => {
    const ids = new TraceIds();
    expect(Math.abs(ids.high - Date.now() / 1000)).toBeLessThan(5);
    const { high } = ids;
    ids.low = 2 ** 32 - 1;
    ids.next();
    expect([ids.high, ids.low]).toEqual([high + 1, 0]);
  });
});
