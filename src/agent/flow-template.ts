// The default flow templates: which elements a flow record is exported as, and from which of its fields.
import {
  type ElementRegistry,
  type FieldSource,
  Template,
  type TemplateField,
} from "../ipfix/index.ts";

// flow_key.flags of bpf/records.h.
const FLOW_EGRESS = 0x01;

/** Template ids of the three kinds of flow, in the order of the meter's `flowKind`. */
export interface FlowTemplateIds {
  ipv6: number;
  tunnelledIpv6: number;
  tunnelledIpv4: number;
}

export const DEFAULT_FLOW_TEMPLATE_IDS: Readonly<FlowTemplateIds> = {
  ipv6: 256,
  tunnelledIpv6: 257,
  tunnelledIpv4: 258,
};

/**
 * The templates of IPv6 flows, of IPv6 flows tunnelled in IPv6, and of IPv4 flows tunnelled in IPv6.
 *
 * Addresses, ports and protocol are those of the innermost IP header that the meter read; flow label,
 * traffic class, hop limits and octets are those of the outer IPv6 header, which carries the IOAM
 * option. The context gives `flowEndReason` and `ioamNodeId` (0xffffff where the node has none).
 */
export function flowTemplates(
  registry: ElementRegistry,
  ids: FlowTemplateIds = DEFAULT_FLOW_TEMPLATE_IDS,
): Template[] {
  const common = commonFields(registry);
  const ipv6 = addressFields(registry, "IPv6", "key.source_address", "key.destination_address");
  const ipv4 = addressFields(registry, "IPv4", "key.source_address", "key.destination_address");
  const tunnel: TemplateField[] = [
    field(registry, "tunnelSourceIPv6Address", octets("tunnel_source")),
    field(registry, "tunnelDestinationIPv6Address", octets("tunnel_destination")),
  ];
  const times = [
    field(registry, "flowStartMilliseconds", { kind: "time", field: "first" }),
    field(registry, "flowEndMilliseconds", { kind: "time", field: "last" }),
  ];
  return [
    new Template(ids.ipv6, [...times, ...ipv6, ...common]),
    new Template(ids.tunnelledIpv6, [...times, ...ipv6, ...tunnel, ...common]),
    new Template(ids.tunnelledIpv4, [...times, ...ipv4, ...tunnel, ...common]),
  ];
}

function addressFields(
  registry: ElementRegistry,
  version: "IPv4" | "IPv6",
  source: string,
  destination: string,
): TemplateField[] {
  return [
    field(registry, `source${version}Address`, octets(source)),
    field(registry, `destination${version}Address`, octets(destination)),
  ];
}

function commonFields(registry: ElementRegistry): TemplateField[] {
  const egress = (whenSet: FieldSource, whenClear: FieldSource): FieldSource => ({
    kind: "select",
    field: "key.flags",
    mask: FLOW_EGRESS,
    whenSet,
    whenClear,
  });
  const rows: [string, FieldSource][] = [
    ["sourceTransportPort", octets("key.source_port")],
    ["destinationTransportPort", octets("key.destination_port")],
    ["protocolIdentifier", unsigned("key.protocol")],
    ["ipClassOfService", unsigned("traffic_class")],
    ["flowLabelIPv6", octets("flow_label")],
    // Observed at egress, the packet's ingress interface is a field of its own.
    ["ingressInterface", egress(unsigned("ingress_interface"), unsigned("key.interface"))],
    ["egressInterface", egress(unsigned("key.interface"), { kind: "constant", value: 0 })],
    ["flowDirection", { kind: "bits", field: "key.flags", shift: 0, mask: FLOW_EGRESS }],
    ["vlanId", octets("key.vlan_id")],
    ["dot1qCustomerVlanId", octets("key.customer_vlan_id")],
    ["packetDeltaCount", unsigned("packets")],
    ["octetDeltaCount", unsigned("octets")],
    ["minimumTTL", unsigned("minimum_ttl")],
    ["maximumTTL", unsigned("maximum_ttl")],
    ["flowEndReason", { kind: "context", name: "flowEndReason" }],
    ["ioamNamespaceId", octets("key.namespace_id")],
    ["ioamNodeId", { kind: "context", name: "ioamNodeId" }],
    ["ioamFlowId", octets("key.flow_id")],
    ["ioamTraceType", octets("key.trace_type")],
    ["ioamExtensionFlags", unsigned("key.extension_flags")],
    ["ioamSequenceNumberLowest", unsigned("lowest")],
    ["ioamSequenceNumberHighest", unsigned("sequence_highest")],
    ["ioamLostPacketCount", { kind: "signed", field: "lost" }],
    ["ioamExpectedPacketCount", unsigned("expected")],
    ["ioamReorderedPacketCount", unsigned("reordered")],
    ["ioamDuplicatePacketCount", unsigned("duplicates")],
  ];
  return rows.map(([name, source]) => field(registry, name, source));
}

function field(registry: ElementRegistry, name: string, source: FieldSource): TemplateField {
  return { element: registry.get(name), source };
}

function octets(name: string): FieldSource {
  return { kind: "octets", field: name };
}

function unsigned(name: string): FieldSource {
  return { kind: "unsigned", field: name };
}
