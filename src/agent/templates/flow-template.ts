// The templates of flows: which elements a flow record can be exported as, and from which of its fields.
import type { ElementRegistry, FieldSource, Template } from "../../ipfix/index.ts";
import {
  type OfferedElement,
  type OfferedField,
  type RecordGroup,
  recordGroup,
  type TemplateConfig,
  templatesOf,
} from "./record-group.ts";

// flow_key.flags of bpf/records.h.
const FLOW_EGRESS = 0x01;

/** The kinds in the order of the meter's `flowKind`. */
const KINDS = ["of IPv6", "of IPv6 in IPv6", "of IPv4 in IPv6"];

/** Observed at egress, the packet's ingress interface is a field of its own. */
const INGRESS_INTERFACE = egress(unsigned("ingress_interface"), unsigned("key.interface"));
const EGRESS_INTERFACE = egress(unsigned("key.interface"), { kind: "constant", value: 0 });

const BY_DEFAULT: readonly OfferedElement[] = [
  time("flowStartMilliseconds", "first"),
  time("flowEndMilliseconds", "last"),
  address("source", "key.source_address"),
  address("destination", "key.destination_address"),
  tunnelled("tunnelSourceIPv6Address", octets("tunnel_source")),
  tunnelled("tunnelDestinationIPv6Address", octets("tunnel_destination")),
  all("sourceTransportPort", network("key.source_port")),
  all("destinationTransportPort", network("key.destination_port")),
  all("protocolIdentifier", unsigned("key.protocol")),
  all("ipClassOfService", unsigned("traffic_class")),
  all("flowLabelIPv6", network("flow_label")),
  all("ingressInterface", INGRESS_INTERFACE),
  all("egressInterface", EGRESS_INTERFACE),
  all("flowDirection", { kind: "bits", field: "key.flags", shift: 0, mask: FLOW_EGRESS }),
  all("vlanId", network("key.vlan_id")),
  all("dot1qCustomerVlanId", network("key.customer_vlan_id")),
  all("packetDeltaCount", unsigned("packets")),
  all("octetDeltaCount", unsigned("octets")),
  all("minimumTTL", unsigned("minimum_ttl")),
  all("maximumTTL", unsigned("maximum_ttl")),
  all("flowEndReason", { kind: "context", name: "flowEndReason" }),
  all("ioamNamespaceId", network("key.namespace_id")),
  all("ioamNodeId", { kind: "context", name: "ioamNodeId" }),
  all("ioamFlowId", network("key.flow_id")),
  all("ioamTraceType", network("key.trace_type")),
  all("ioamExtensionFlags", unsigned("key.extension_flags")),
  all("ioamSequenceNumberLowest", unsigned("lowest")),
  all("ioamSequenceNumberHighest", unsigned("sequence_highest")),
  all("ioamLostPacketCount", { kind: "signed", field: "lost" }),
  all("ioamExpectedPacketCount", unsigned("expected")),
  all("ioamReorderedPacketCount", unsigned("reordered")),
  all("ioamDuplicatePacketCount", unsigned("duplicates")),
];

const FURTHER: readonly OfferedElement[] = [
  time("flowStartSeconds", "first"),
  time("flowEndSeconds", "last"),
  time("flowStartMicroseconds", "first"),
  time("flowEndMicroseconds", "last"),
  time("flowStartNanoseconds", "first"),
  time("flowEndNanoseconds", "last"),
  ipVersion(6, 6, 4),
  all("ipDiffServCodePoint", { kind: "bits", field: "traffic_class", shift: 2, mask: 0x3f }),
  all("ipPrecedence", { kind: "bits", field: "traffic_class", shift: 5, mask: 0x07 }),
  all("observationPointId", unsigned("key.interface")),
  all("dot1qVlanId", network("key.vlan_id")),
];

/**
 * IPv6 flows, IPv6 flows tunnelled in IPv6, and IPv4 flows tunnelled in IPv6.
 *
 * Addresses, ports and protocol are those of the innermost IP header that the meter read; flow label,
 * traffic class, hop limits and octets are those of the outer IPv6 header, which carries the IOAM
 * option. The context gives `flowEndReason` and `ioamNodeId` (0xffffff where the node has none).
 */
export const FLOW_GROUP: RecordGroup = recordGroup("flow", 256, KINDS, BY_DEFAULT, FURTHER);

/** The templates of flows, in the order of the meter's `flowKind`. */
export function flowTemplates(
  registry: ElementRegistry,
  config: TemplateConfig = FLOW_GROUP.defaults,
): Template[] {
  return templatesOf(FLOW_GROUP, registry, config);
}

/** An element that every kind has. */
function all(name: string, source: FieldSource): OfferedElement {
  return { name, fields: KINDS.map(() => ({ name, source })) };
}

/** An element that only tunnelled flows have. */
function tunnelled(name: string, source: FieldSource): OfferedElement {
  const field: OfferedField = { name, source };
  return { name, fields: [undefined, field, field] };
}

function time(name: string, field: string): OfferedElement {
  return all(name, { kind: "time", field });
}

/** sourceIPv6Address or destinationIPv6Address, which stands for the IPv4 one too. */
function address(which: "source" | "destination", field: string): OfferedElement {
  const source = octets(field);
  const name = `${which}IPv6Address`;
  const ipv6: OfferedField = { name, source };
  return { name, fields: [ipv6, ipv6, { name: `${which}IPv4Address`, source }] };
}

/** Of the header that the addresses are of. */
function ipVersion(...versions: number[]): OfferedElement {
  const name = "ipVersion";
  return {
    name,
    fields: versions.map((value) => ({ name, source: { kind: "constant", value } })),
  };
}

function egress(whenSet: FieldSource, whenClear: FieldSource): FieldSource {
  return { kind: "select", field: "key.flags", mask: FLOW_EGRESS, whenSet, whenClear };
}

function octets(field: string): FieldSource {
  return { kind: "octets", field };
}

function network(field: string): FieldSource {
  return { kind: "network", field };
}

function unsigned(field: string): FieldSource {
  return { kind: "unsigned", field };
}
