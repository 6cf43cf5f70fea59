// What a meter said of generated traffic, added up flow by flow, beside what was sent and what arrived.
import { expect } from "vitest";
import {
  type Flow,
  type Meter,
  readFlow,
  type SealedGeneration,
  type Slice,
} from "../../src/meter/index.ts";
import { flowFields } from "../lab/frame.ts";
import type { Generator } from "../lab/generator.ts";
import type { Sink } from "../lab/sink.ts";

export interface FlowSum {
  packets: number;
  octets: number;
  expected: number;
  lost: number;
  reordered: number;
  duplicates: number;
}

/** Sums of the flows that one meter reported, told apart by their (inner) source address. */
export class FlowSums {
  readonly flows: Map<string, FlowSum> = new Map();

  add(flow: Flow): void {
    const source = flow.sourceIPv6Address ?? flow.sourceIPv4Address!;
    let sum = this.flows.get(source);
    if (sum === undefined) {
      sum = { packets: 0, octets: 0, expected: 0, lost: 0, reordered: 0, duplicates: 0 };
      this.flows.set(source, sum);
    }
    sum.packets += Number(flow.packetDeltaCount);
    sum.octets += Number(flow.octetDeltaCount);
    sum.expected += Number(flow.ioamExpectedPacketCount ?? 0);
    sum.lost += Number(flow.ioamLostPacketCount ?? 0);
    sum.reordered += Number(flow.ioamReorderedPacketCount ?? 0);
    sum.duplicates += Number(flow.ioamDuplicatePacketCount ?? 0);
  }

  /** Adds what is in the table. */
  addTable(meter: Meter): void {
    for (const flow of meter.dump()) this.add(flow);
  }

  /** Adds the flows of a slice of a sealed generation. */
  take(meter: Meter, { buffer }: SealedGeneration, slice: Slice): void {
    const view = new DataView(buffer);
    const context = { clockOffset: 0n, interfaceName: meter.interfaceNames() };
    const { count, offsets } = slice;
    for (let i = 0; i < count; i++) this.add(readFlow(view, offsets[i]! * 4, context));
  }

  /** Drains a sealed generation as an agent does, slice by slice; returns its flow records. */
  drain(meter: Meter, sealed: SealedGeneration): number {
    const reader = sealed.reader();
    for (let records = 0; ; ) {
      const slice = reader.next(4096);
      this.take(meter, sealed, slice);
      sealed.commit(slice);
      if (slice.count === 0) return records;
      records += slice.count;
    }
  }

  get packets(): number {
    let packets = 0;
    for (const sum of this.flows.values()) packets += sum.packets;
    return packets;
  }

  get octets(): number {
    let octets = 0;
    for (const sum of this.flows.values()) octets += sum.octets;
    return octets;
  }
}

export interface Comparison {
  /** Packets of a flow took two ways at once: which of them came first was nobody's plan. */
  unordered?: boolean;
}

/** Every flow's sums equal what the sink counted and what was planted, to the packet. */
export function expectExact(
  sums: FlowSums,
  gen: Generator,
  far: Sink,
  { unordered = false }: Comparison = {},
): void {
  const differing: unknown[] = [];
  let flows = 0;
  for (let flow = 0; flow < gen.flows; flow++) {
    const facts = gen.facts(flow);
    if (facts.packets === 0) continue;
    flows++;
    const arrived = far.flow(flow);
    const found = sums.flows.get(flowFields(gen.frame, flow).source);
    const sequenced = gen.frame.sequenceOffset > 0;
    const wanted: FlowSum = {
      packets: arrived.packets,
      octets: arrived.octets,
      expected: sequenced ? facts.expected : 0,
      lost: sequenced ? facts.lost : 0,
      reordered: unordered ? (found?.reordered ?? 0) : sequenced ? facts.reordered : 0,
      duplicates: sequenced ? facts.duplicates : 0,
    };
    const equal =
      found !== undefined &&
      arrived.packets === facts.packets &&
      Object.entries(wanted).every(([name, value]) => found[name as keyof FlowSum] === value);
    if (!equal) differing.push({ flow, sent: facts.packets, wanted, found });
  }
  expect(differing.slice(0, 5), `${differing.length} of ${flows} flows differ`).toEqual([]);
  expect(sums.flows.size).toBe(flows);
}
