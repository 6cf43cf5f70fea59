// What the meter ought to say of a packet that passed an observation point once.
import type { Direction, Flow } from "../../src/meter/index.ts";
import type { ExpectedFlow } from "./expected-flow.ts";

/** Without the times, which nobody knows before. */
export type Reported = Omit<Flow, "flowStartMilliseconds" | "flowEndMilliseconds">;

export interface ObservationPoint {
  interfaceName: string;
  ifindex: number;
  direction: Direction;
}

/** The flow of one packet, as `dump` reports it. */
export function reportedFlow(expected: ExpectedFlow, at: ObservationPoint): Reported {
  const known: Partial<Reported> = {
    [at.direction === "ingress" ? "ingressInterface" : "egressInterface"]: at.ifindex,
    ...(expected.flowId === undefined ? {} : { ioamFlowId: expected.flowId }),
    ...(expected.ipVersion === 4
      ? { sourceIPv4Address: expected.source, destinationIPv4Address: expected.destination }
      : { sourceIPv6Address: expected.source, destinationIPv6Address: expected.destination }),
    ...(expected.sourcePort === undefined
      ? {}
      : {
          sourceTransportPort: expected.sourcePort,
          destinationTransportPort: expected.destinationPort!,
        }),
    ...(expected.vlanId === undefined ? {} : { vlanId: expected.vlanId }),
    ...(expected.customerVlanId === undefined
      ? {}
      : { dot1qCustomerVlanId: expected.customerVlanId }),
    ...(expected.tunnelSource === undefined
      ? {}
      : {
          tunnelSourceIPv6Address: expected.tunnelSource,
          tunnelDestinationIPv6Address: expected.tunnelDestination!,
        }),
    ...(expected.sequence === undefined
      ? {}
      : {
          ioamSequenceNumberLowest: expected.sequence,
          ioamSequenceNumberHighest: expected.sequence,
          ioamLostPacketCount: 0n,
          ioamExpectedPacketCount: 1n,
          ioamReorderedPacketCount: 0n,
          ioamDuplicatePacketCount: 0n,
        }),
  };
  return {
    interfaceName: at.interfaceName,
    flowDirection: at.direction,
    ioamNamespaceId: expected.namespace,
    ioamTraceType: expected.traceType,
    ioamExtensionFlags: `0x${expected.extensionFlags.toString(16).padStart(2, "0")}`,
    protocolIdentifier: expected.protocol,
    flowLabelIPv6: expected.flowLabel,
    ipClassOfService: expected.trafficClass,
    packetDeltaCount: 1n,
    octetDeltaCount: BigInt(expected.octets),
    minimumTTL: expected.hopLimit,
    maximumTTL: expected.hopLimit,
    ...known,
  };
}

/** What tells a flow from others, as text. */
export function flowKey(flow: Reported): string {
  return JSON.stringify([
    flow.flowDirection,
    flow.ioamNamespaceId,
    flow.ioamTraceType,
    flow.ioamExtensionFlags,
    flow.ioamFlowId,
    flow.sourceIPv6Address ?? flow.sourceIPv4Address,
    flow.destinationIPv6Address ?? flow.destinationIPv4Address,
    flow.tunnelSourceIPv6Address !== undefined,
    flow.protocolIdentifier,
    flow.sourceTransportPort,
    flow.destinationTransportPort,
    flow.vlanId,
    flow.dot1qCustomerVlanId,
  ]);
}
