// Flows that the end-to-end tests send, and the record that each must lead to at an observation point.
import { type DexPacketOptions, dexPacket } from "../lab/dex-packet.ts";
import { type ExpectedFlow, expectedFlow } from "../lab/expected-flow.ts";
import type { IPv4Layer, IPv6Layer, Packet } from "../lab/packet.ts";
import {
  type Anomaly,
  flowSteps,
  offsetAt,
  type SequenceFacts,
  sequenceFacts,
} from "../lab/plan.ts";
import { wireCases } from "../lab/wire-cases.ts";
import type { FlowValues } from "./flow-values.ts";

/** A flow of its own: no other has its (inner) source address. */
export interface SentFlow {
  name: string;
  /** In this order. */
  packets: Packet[];
  /** Of the first packet: what tells the flow, and what is noted of its first packet alone. */
  flow: ExpectedFlow;
  /** Of all packets. */
  octets: number;
  hopLimits: number[];
  /** Undefined without sequence numbers. */
  sequence: SequenceFacts | undefined;
}

/** The packet from another source: `number` is in its (outer) address, and in the inner one. */
function fromSource(packet: Packet, number: number): Packet {
  const [outer, ...rest] = packet.layers as [IPv6Layer, ...Packet["layers"]];
  const at = rest.findIndex((layer) => layer.kind === "ipv6" || layer.kind === "ipv4");
  const layers = [...rest];
  const inner = rest[at] as IPv6Layer | IPv4Layer | undefined;
  if (inner?.kind === "ipv6") {
    layers[at] = { ...inner, source: `2001:db8:1:${number.toString(16)}::10` };
  } else if (inner?.kind === "ipv4") {
    layers[at] = { ...inner, source: `10.77.${number >> 8}.${number & 0xff}` };
  }
  const source = outer.source.replace("::", `:${number.toString(16)}::`);
  return { ...packet, layers: [{ ...outer, source }, ...layers] };
}

/** A flow for every wire case whose DEX option can be read, with a link layer or without. */
export function wireFlows(firstNumber: number): SentFlow[] {
  const cases = wireCases().flatMap(({ name, packet, expect }) =>
    expect.kind === "flow" ? [{ name, packet, known: expect.flow }] : [],
  );
  return cases.map(({ name, packet, known }, i) => {
    const sent = fromSource(packet, firstNumber + i);
    const { source, tunnelSource } = expectedFlow(sent)!;
    const flow = { ...known, source, tunnelSource };
    const { sequence, octets, hopLimit } = flow;
    return {
      name,
      packets: [sent],
      flow,
      octets,
      hopLimits: [hopLimit],
      sequence: sequence === undefined ? undefined : sequenceFacts([], sequence, 0, 1),
    };
  });
}

/** What the packets of a flow have in common, and what differs. */
export interface FlowPlan {
  name: string;
  packet?: DexPacketOptions;
  count: number;
  /** Sequence number of the first packet: 0 unless told. */
  first?: number;
  anomalies?: Anomaly[];
  /** What differs by the packet's place in the flow. */
  vary?: (position: number) => DexPacketOptions;
}

/** A flow of several packets. */
export function plannedFlow(plan: FlowPlan, number: number): SentFlow {
  const { name, packet = {}, count, first = 0, anomalies = [], vary } = plan;
  const steps = flowSteps(anomalies, first);
  const packets = Array.from({ length: count }, (_, position) => {
    const sequence = (first + offsetAt(steps, position)) >>> 0;
    const fields = { ...packet, ...vary?.(position), sequence };
    return fromSource(dexPacket(fields), number);
  });
  const flows = packets.map((one) => expectedFlow(one)!);
  const [flow] = flows;
  return {
    name,
    packets,
    flow,
    octets: flows.reduce((sum, { octets }) => sum + octets, 0),
    hopLimits: flows.map(({ hopLimit }) => hopLimit),
    sequence: flow.sequence === undefined ? undefined : sequenceFacts(steps, first, 0, count),
  };
}

/** Where and how a flow is observed. */
export interface Observed {
  interfaceName: string;
  ingressInterface: number;
  /** 0 at ingress, where it is not known yet. */
  egressInterface: number;
  direction: "ingress" | "egress";
  flowEndReason: number;
  /** 0xffffff: the node has none. */
  nodeId: number;
  /** By how much the hop limit is less than the one sent. */
  hops: number;
}

/** The record without its times: every element that it must have, and no other. */
export function expectedValues(sent: SentFlow, observed: Observed): FlowValues {
  const { flow, sequence } = sent;
  const hopLimits = sent.hopLimits.map((hopLimit) => hopLimit - observed.hops);
  const version = flow.ipVersion === 4 ? "IPv4" : "IPv6";
  // What a packet does not have is exported as 0.
  const integers: Record<string, number | undefined> = {
    sourceTransportPort: flow.sourcePort,
    destinationTransportPort: flow.destinationPort,
    protocolIdentifier: flow.protocol,
    ipClassOfService: flow.trafficClass,
    flowLabelIPv6: flow.flowLabel,
    ingressInterface: observed.ingressInterface,
    egressInterface: observed.egressInterface,
    flowDirection: observed.direction === "egress" ? 1 : 0,
    vlanId: flow.vlanId,
    dot1qCustomerVlanId: flow.customerVlanId,
    packetDeltaCount: sent.packets.length,
    octetDeltaCount: sent.octets,
    minimumTTL: Math.min(...hopLimits),
    maximumTTL: Math.max(...hopLimits),
    flowEndReason: observed.flowEndReason,
    ioamNamespaceId: flow.namespace,
    ioamNodeId: observed.nodeId,
    ioamFlowId: flow.flowId,
    ioamTraceType: Number(flow.traceType),
    ioamExtensionFlags: flow.extensionFlags,
    ioamSequenceNumberLowest: sequence?.lowest,
    ioamSequenceNumberHighest: sequence?.highest,
    ioamLostPacketCount: sequence?.lost,
    ioamExpectedPacketCount: sequence?.expected,
    ioamReorderedPacketCount: sequence?.reordered,
    ioamDuplicatePacketCount: sequence?.duplicates,
  };
  return {
    [`source${version}Address`]: flow.source,
    [`destination${version}Address`]: flow.destination,
    ...(flow.tunnelSource === undefined
      ? {}
      : {
          tunnelSourceIPv6Address: flow.tunnelSource,
          tunnelDestinationIPv6Address: flow.tunnelDestination!,
        }),
    ...Object.fromEntries(Object.entries(integers).map(([name, n]) => [name, BigInt(n ?? 0)])),
  };
}
