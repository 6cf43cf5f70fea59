// The elements of a flow record, spelled out here a second time: what a collector must find on the wire.
import type { ForeignElement } from "../lab/ipfixdump.ts";

/** IANA's elements, and under which field tshark shows them. ipfixDump knows them by their name. */
export const IANA_ELEMENTS: Readonly<Record<string, string>> = {
  flowStartMilliseconds: "cflow.abstimestart",
  flowEndMilliseconds: "cflow.abstimeend",
  sourceIPv6Address: "cflow.srcaddrv6",
  destinationIPv6Address: "cflow.dstaddrv6",
  sourceIPv4Address: "cflow.srcaddr",
  destinationIPv4Address: "cflow.dstaddr",
  sourceTransportPort: "cflow.srcport",
  destinationTransportPort: "cflow.dstport",
  protocolIdentifier: "cflow.protocol",
  ipClassOfService: "cflow.tos",
  flowLabelIPv6: "cflow.ipv6flowlabel",
  ingressInterface: "cflow.inputint",
  egressInterface: "cflow.outputint",
  flowDirection: "cflow.direction",
  vlanId: "cflow.vlanid",
  dot1qCustomerVlanId: "cflow.dot1q_customer_vlan_id",
  packetDeltaCount: "cflow.packets",
  octetDeltaCount: "cflow.octets",
  minimumTTL: "cflow.ttl_min",
  maximumTTL: "cflow.ttl_max",
  flowEndReason: "cflow.flow_end_reason",
};

const IOAM = 10383;
const OWN = 32473;

/** An element of an enterprise with its octets on the wire. */
export type EnterpriseElement = ForeignElement & { length: number };

/** Elements of enterprises, which no decoder knows by itself. */
export const ENTERPRISE_ELEMENTS: readonly EnterpriseElement[] = [
  { name: "ioamNamespaceId", enterprise: IOAM, id: 0, type: "unsigned16", length: 2 },
  { name: "ioamNodeId", enterprise: IOAM, id: 2, type: "unsigned32", length: 3 },
  { name: "ioamFlowId", enterprise: IOAM, id: 15, type: "unsigned32", length: 4 },
  { name: "ioamTraceType", enterprise: OWN, id: 101, type: "unsigned32", length: 3 },
  { name: "ioamExtensionFlags", enterprise: OWN, id: 102, type: "unsigned8", length: 1 },
  { name: "ioamSequenceNumberLowest", enterprise: OWN, id: 103, type: "unsigned32", length: 4 },
  { name: "ioamSequenceNumberHighest", enterprise: OWN, id: 104, type: "unsigned32", length: 4 },
  { name: "ioamLostPacketCount", enterprise: OWN, id: 105, type: "signed64", length: 8 },
  { name: "ioamExpectedPacketCount", enterprise: OWN, id: 106, type: "unsigned64", length: 8 },
  { name: "ioamReorderedPacketCount", enterprise: OWN, id: 107, type: "unsigned64", length: 8 },
  { name: "ioamDuplicatePacketCount", enterprise: OWN, id: 108, type: "unsigned64", length: 8 },
  { name: "tunnelSourceIPv6Address", enterprise: OWN, id: 109, type: "ipv6Address", length: 16 },
  {
    name: "tunnelDestinationIPv6Address",
    enterprise: OWN,
    id: 110,
    type: "ipv6Address",
    length: 16,
  },
];

/** The element of an enterprise with that id; throws when no flow record has it. */
export function enterpriseElement(enterprise: number, id: number): EnterpriseElement {
  const found = ENTERPRISE_ELEMENTS.find((one) => one.enterprise === enterprise && one.id === id);
  if (found === undefined) throw new Error(`element ${enterprise}/${id} is in no flow record`);
  return found;
}
