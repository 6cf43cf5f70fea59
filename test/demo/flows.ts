// The flows that the demo sends: what their packets are like and which of them are odd.
import { dexPacket } from "../lab/dex-packet.ts";
import { type ExpectedFlow, expectedFlow } from "../lab/expected-flow.ts";
import { IOAM_MUTABLE } from "../lab/options.ts";
import { type Layer, type Packet, packetOctets } from "../lab/packet.ts";
import {
  type Anomaly,
  flowSteps,
  offsetAt,
  type SequenceFacts,
  type Step,
  sequenceFacts,
} from "../lab/plan.ts";
import { INNER4, INNER6, UDP } from "../lab/samples.ts";
import { counting } from "../lab/transport.ts";

interface Plan {
  flowId: number;
  /** For the reader. */
  kind: string;
  /** Number of the first packet. */
  first: number;
  /** Sequence numbers from first to last, the lost ones among them. */
  numbers: number;
  /** Offsets are from `first`. */
  lost?: number;
  late?: { offset: number; by: number };
  duplicate?: { offset: number; after: number };
  packet: Parameters<typeof dexPacket>[0];
}

/** One flow as it is sent. */
export class SentFlow {
  readonly flowId: number;
  readonly kind: string;
  /** What is odd about it, for the reader. */
  readonly planted: string;
  readonly packets: number;
  readonly #plan: Plan;
  readonly #steps: Step[];

  constructor(plan: Plan) {
    this.#plan = plan;
    this.flowId = plan.flowId;
    this.kind = plan.kind;
    const anomalies = anomaliesOf(plan);
    this.planted = anomalies.map(describe).join(", ") || "nothing";
    this.#steps = flowSteps(anomalies, plan.first);
    const { lost, duplicate } = plan;
    this.packets = plan.numbers - (lost === undefined ? 0 : 1) + (duplicate === undefined ? 0 : 1);
  }

  /** Packet `position` of the flow, from 0 on. */
  packet(position: number): Packet {
    const sequence = (this.#plan.first + offsetAt(this.#steps, position)) >>> 0;
    return dexPacket({ ...this.#plan.packet, flowId: this.flowId, sequence });
  }

  /** What a meter ought to report, from the descriptions of the packets. */
  get header(): ExpectedFlow {
    return expectedFlow(this.packet(0))!;
  }

  /** What a meter ought to find in the sequence numbers. */
  get sequence(): SequenceFacts & { lowest: number; highest: number } {
    const { lowest, highest, ...facts } = sequenceFacts(
      this.#steps,
      this.#plan.first,
      0,
      this.packets,
    );
    return { ...facts, lowest: lowest!, highest: highest! };
  }

  /** Of all its IP packets. */
  get octets(): number {
    return this.packets * this.header.octets;
  }

  /** Its frames in the order in which they leave. */
  frames(): Uint8Array[] {
    return Array.from({ length: this.packets }, (_, i) => packetOctets(this.packet(i)));
  }
}

function anomaliesOf({ first, lost, late, duplicate }: Plan): Anomaly[] {
  const at = (offset: number) => ({ flow: 0, sequence: (first + offset) >>> 0 });
  return [
    ...(lost === undefined ? [] : [{ kind: "lost" as const, ...at(lost) }]),
    ...(late === undefined ? [] : [{ kind: "late" as const, ...at(late.offset), by: late.by }]),
    ...(duplicate === undefined
      ? []
      : [{ kind: "duplicate" as const, ...at(duplicate.offset), after: duplicate.after }]),
  ];
}

function describe(anomaly: Anomaly): string {
  const { sequence } = anomaly;
  switch (anomaly.kind) {
    case "lost":
      return `${sequence} lost`;
    case "late":
      return `${sequence} sent after ${(sequence + anomaly.by) >>> 0}`;
    case "duplicate":
      return `${sequence} sent twice`;
  }
}

function tcp(octets: number): Layer {
  return { kind: "tcp", sourcePort: 40001, destinationPort: 443, payload: counting(octets) };
}

/** Six flows of different kinds, each of its own number of packets and octets. */
export function demoFlows(): SentFlow[] {
  const plans: Plan[] = [
    { flowId: 0xa1, kind: "UDP", first: 0, numbers: 60, packet: {} },
    {
      flowId: 0xa2,
      kind: "TCP",
      first: 0,
      numbers: 120,
      lost: 40,
      packet: { upper: [tcp(200)], flowLabel: 0xa2a2a },
    },
    {
      flowId: 0xa3,
      kind: "UDP, IOAM option 0x31",
      first: 1000,
      numbers: 90,
      late: { offset: 60, by: 3 },
      packet: { type: IOAM_MUTABLE, source: "fd00:1::3" },
    },
    {
      flowId: 0xa4,
      kind: "ICMPv6, IOAM in Destination Options",
      first: 1,
      numbers: 75,
      duplicate: { offset: 11, after: 0 },
      packet: {
        carrier: "destination",
        upper: [{ kind: "icmpv6", type: 128, code: 0, payload: counting(36) }],
        trafficClass: 0xb8,
      },
    },
    {
      flowId: 0xa5,
      kind: "UDP/IPv6 tunnelled in IPv6, numbers wrap",
      first: 2 ** 32 - 50,
      numbers: 100,
      lost: 20,
      late: { offset: 45, by: 10 },
      duplicate: { offset: 70, after: 2 },
      packet: { upper: [INNER6, UDP] },
    },
    {
      flowId: 0xa6,
      kind: "TCP/IPv4 tunnelled in IPv6",
      first: 500,
      numbers: 80,
      lost: 7,
      duplicate: { offset: 30, after: 5 },
      packet: { upper: [INNER4, tcp(64)], hopLimit: 33 },
    },
  ];
  return plans.map((plan) => new SentFlow(plan));
}
