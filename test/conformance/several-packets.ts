// Flows of several packets for the end-to-end tests: loss, reordering, duplicates, and what varies.
import { FLOW_ID, SEQUENCE } from "../lab/options.ts";
import type { Layer } from "../lab/packet.ts";
import { INNER4, INNER6, UDP } from "../lab/samples.ts";
import { counting } from "../lab/transport.ts";
import { type FlowPlan, plannedFlow, type SentFlow } from "./sent-flows.ts";

const ANOMALIES: FlowPlan[] = [
  { name: "5 packets in a row", count: 5, first: 1 },
  {
    name: "lost packets",
    count: 16,
    first: 100,
    anomalies: [104, 105, 110, 113].map((sequence) => ({ kind: "lost", flow: 0, sequence })),
  },
  {
    name: "late packets",
    count: 16,
    anomalies: [
      { kind: "late", flow: 0, sequence: 3, by: 1 },
      { kind: "late", flow: 0, sequence: 7, by: 5 },
    ],
  },
  {
    name: "duplicates",
    count: 16,
    anomalies: [
      { kind: "duplicate", flow: 0, sequence: 2, after: 0 },
      { kind: "duplicate", flow: 0, sequence: 5, after: 6 },
      { kind: "duplicate", flow: 0, sequence: 9, after: 1 },
    ],
  },
  {
    name: "sequence numbers that wrap around, with all of it",
    count: 20,
    first: 0xffff_fff8,
    anomalies: [
      { kind: "lost", flow: 0, sequence: 0xffff_fffb },
      { kind: "lost", flow: 0, sequence: 0 },
      { kind: "late", flow: 0, sequence: 0xffff_ffff, by: 3 },
      { kind: "duplicate", flow: 0, sequence: 0xffff_fffd, after: 8 },
    ],
  },
  {
    name: "more lost than the window holds",
    count: 12,
    anomalies: Array.from({ length: 300 }, (_, i) => ({
      kind: "lost" as const,
      flow: 0,
      sequence: 6 + i,
    })),
  },
];

const VARIATIONS: FlowPlan[] = [
  {
    name: "different hop limits",
    count: 4,
    vary: (i) => ({ hopLimit: [64, 255, 2, 31][i] }),
  },
  {
    name: "different traffic classes and flow labels: those of the first packet",
    count: 4,
    vary: (i) => ({ trafficClass: 0x28 + 0x40 * i, flowLabel: 0x54321 + i }),
  },
  {
    name: "different lengths",
    count: 5,
    vary: (i) => ({ upper: [{ ...UDP, payload: counting([0, 1, 999, 63, 1300][i]) }] }),
  },
  { name: "no sequence numbers", packet: { extensionFlags: FLOW_ID }, count: 6 },
  {
    name: "no flow id",
    packet: { extensionFlags: SEQUENCE },
    count: 6,
    first: 7,
    anomalies: [{ kind: "lost", flow: 0, sequence: 9 }],
  },
  { name: "neither", packet: { extensionFlags: 0 }, count: 3 },
  {
    name: "all extension flags, unknown fields that differ",
    packet: { extensionFlags: 0xff },
    count: 5,
    first: 0x8000_0000,
    anomalies: [{ kind: "late", flow: 0, sequence: 0x8000_0001, by: 2 }],
    vary: (i) => ({ unknownField: (bit) => i * 0x01010101 + bit }),
  },
  {
    name: "in Destination options",
    packet: { carrier: "destination" },
    count: 4,
    anomalies: [{ kind: "lost", flow: 0, sequence: 2 }],
  },
];

function tunnelled(version: "IPv6" | "IPv4", inner: (position: number) => Layer): FlowPlan {
  return {
    name: `several packets of ${version} in IPv6, inner hop limits and lengths that differ`,
    count: 6,
    first: 50,
    anomalies: [
      { kind: "lost", flow: 0, sequence: 52 },
      { kind: "duplicate", flow: 0, sequence: 53, after: 1 },
    ],
    vary: (i) => ({
      hopLimit: 40 + i,
      upper: [inner(i), { ...UDP, payload: counting(10 * i) }],
    }),
  };
}

const TUNNELS: FlowPlan[] = [
  tunnelled("IPv6", (i) => ({ ...INNER6, hopLimit: 9 + i })),
  tunnelled("IPv4", (i) => ({ ...INNER4, timeToLive: 9 + i })),
];

/** Their numbers, which must be nobody else's, begin with `firstNumber`. */
export function severalPacketFlows(firstNumber: number): SentFlow[] {
  return [...ANOMALIES, ...VARIATIONS, ...TUNNELS].map((plan, i) =>
    plannedFlow(plan, firstNumber + i),
  );
}

/** Flows of several packets with tags, whose priorities differ. */
export function taggedFlows(firstNumber: number): SentFlow[] {
  const plan = (name: string, tags: { protocol?: number; id: number }[]): FlowPlan => ({
    name,
    count: 4,
    anomalies: [{ kind: "lost", flow: 0, sequence: 2 }],
    vary: (i) => ({ link: { tags: tags.map((tag) => ({ ...tag, priority: i })) } }),
  });
  return [
    plan("VLAN of several packets", [{ id: 100 }]),
    plan("QinQ of several packets", [{ protocol: 0x88a8, id: 200 }, { id: 300 }]),
  ].map((one, i) => plannedFlow(one, firstNumber + i));
}
