// Every field of the record that a flow ought to be exported as, as ipfixDump writes it.
import type { SentFlow } from "./flows.ts";

/** What is known of the router and of when the packets passed. */
export interface Circumstances {
  /** Index of the interface that is metered. */
  interfaceIndex: number;
  /** Unix milliseconds: before the first packet and after the last. */
  from: number;
  to: number;
}

/** Values by element name; a function says whether a value will do. */
export type ExpectedRecord = Record<string, string | ((value: string) => boolean)>;

// RFC 9197: a node without an id.
const NO_NODE_ID = 0xff_ffff;
// flowEndReason (RFC 5102, 5.11.3): the agent was told to end.
const FORCED_END = 4;

/** Addresses and ports are the inner ones of a tunnelled packet; a field that is not there is 0. */
export function expectedRecord(flow: SentFlow, around: Circumstances): ExpectedRecord {
  const { header, sequence } = flow;
  const during = (value: string) => {
    const time = Date.parse(`${value.replace(" ", "T")}Z`);
    return time >= around.from && time <= around.to;
  };
  const numbers: Record<string, number> = {
    sourceTransportPort: header.sourcePort ?? 0,
    destinationTransportPort: header.destinationPort ?? 0,
    protocolIdentifier: header.protocol,
    ipClassOfService: header.trafficClass,
    flowLabelIPv6: header.flowLabel,
    ingressInterface: around.interfaceIndex,
    egressInterface: 0,
    flowDirection: 0,
    vlanId: 0,
    dot1qCustomerVlanId: 0,
    packetDeltaCount: flow.packets,
    octetDeltaCount: flow.octets,
    minimumTTL: header.hopLimit,
    maximumTTL: header.hopLimit,
    flowEndReason: FORCED_END,
    ioamNamespaceId: header.namespace,
    ioamNodeId: NO_NODE_ID,
    ioamFlowId: flow.flowId,
    ioamTraceType: Number(header.traceType),
    ioamExtensionFlags: header.extensionFlags,
    ioamSequenceNumberLowest: sequence.lowest,
    ioamSequenceNumberHighest: sequence.highest,
    ioamLostPacketCount: sequence.lost,
    ioamExpectedPacketCount: sequence.expected,
    ioamReorderedPacketCount: sequence.reordered,
    ioamDuplicatePacketCount: sequence.duplicates,
  };
  const record: ExpectedRecord = {
    flowStartMilliseconds: during,
    flowEndMilliseconds: during,
    [`sourceIPv${header.ipVersion}Address`]: header.source,
    [`destinationIPv${header.ipVersion}Address`]: header.destination,
  };
  if (header.tunnelSource !== undefined) {
    record.tunnelSourceIPv6Address = header.tunnelSource;
    record.tunnelDestinationIPv6Address = header.tunnelDestination!;
  }
  for (const [name, value] of Object.entries(numbers)) record[name] = String(value);
  return record;
}
