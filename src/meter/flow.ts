// A flow as people and JSON see it: IPFIX element names, absent where nothing is known.
import { addressText } from "../address-text.ts";
import {
  DEX_FLOW_ID,
  DEX_SEQUENCE_NUMBER,
  FLOW_CUSTOMER_VLAN,
  FLOW_EGRESS,
  FLOW_IPV4,
  FLOW_PORTS,
  FLOW_TUNNEL,
  FLOW_VLAN,
} from "./abi.ts";
import { layoutOf } from "./layout.ts";

export interface Flow {
  interfaceName: string;
  flowDirection: "ingress" | "egress";
  ingressInterface?: number;
  egressInterface?: number;
  ioamNamespaceId: number;
  ioamTraceType: string;
  ioamExtensionFlags: string;
  ioamFlowId?: number;
  sourceIPv6Address?: string;
  sourceIPv4Address?: string;
  destinationIPv6Address?: string;
  destinationIPv4Address?: string;
  protocolIdentifier: number;
  sourceTransportPort?: number;
  destinationTransportPort?: number;
  flowLabelIPv6: number;
  ipClassOfService: number;
  vlanId?: number;
  dot1qCustomerVlanId?: number;
  tunnelSourceIPv6Address?: string;
  tunnelDestinationIPv6Address?: string;
  packetDeltaCount: bigint;
  octetDeltaCount: bigint;
  flowStartMilliseconds: number;
  flowEndMilliseconds: number;
  ioamSequenceNumberLowest?: number;
  ioamSequenceNumberHighest?: number;
  ioamLostPacketCount?: bigint;
  ioamExpectedPacketCount?: bigint;
  ioamReorderedPacketCount?: bigint;
  ioamDuplicatePacketCount?: bigint;
  minimumTTL: number;
  maximumTTL: number;
}

/** What a record's numbers mean outside it. */
export interface FlowContext {
  interfaceName(ifindex: number): string;
  /** Unix time minus CLOCK_MONOTONIC, ns. */
  clockOffset: bigint;
}

/**
 * Reads one resolved record (`resolveSequence`), merged over CPUs, at octet `offset` of the view.
 */
export function readFlow(view: DataView, offset: number, context: FlowContext): Flow {
  const at = (field: string): number => offset + layoutOf("flow_record").fields[field]!.offset;
  const octets = (field: string, length: number): Uint8Array =>
    new Uint8Array(view.buffer, view.byteOffset + at(field), length);
  const milliseconds = (field: string): number =>
    Number((view.getBigUint64(at(field), true) + context.clockOffset) / 1_000_000n);

  const flags = view.getUint8(at("key.flags"));
  const extensionFlags = view.getUint8(at("key.extension_flags"));
  const observed = view.getUint32(at("key.interface"), true);
  const ingress = view.getUint32(at("ingress_interface"), true);
  const traceType = view.getUint32(at("key.trace_type")) >>> 8;
  const egress = (flags & FLOW_EGRESS) !== 0;

  const flow: Flow = {
    interfaceName: context.interfaceName(observed),
    flowDirection: egress ? "egress" : "ingress",
    ...(egress
      ? {
          ...(ingress === 0 || ingress === observed ? {} : { ingressInterface: ingress }),
          egressInterface: observed,
        }
      : { ingressInterface: observed }),
    ioamNamespaceId: view.getUint16(at("key.namespace_id")),
    ioamTraceType: `0x${traceType.toString(16).padStart(6, "0")}`,
    ioamExtensionFlags: `0x${extensionFlags.toString(16).padStart(2, "0")}`,
    ...((extensionFlags & DEX_FLOW_ID) === 0
      ? {}
      : { ioamFlowId: view.getUint32(at("key.flow_id")) }),
    ...((flags & FLOW_IPV4) === 0
      ? {
          sourceIPv6Address: addressText(octets("key.source_address", 16)),
          destinationIPv6Address: addressText(octets("key.destination_address", 16)),
        }
      : {
          sourceIPv4Address: addressText(octets("key.source_address", 4)),
          destinationIPv4Address: addressText(octets("key.destination_address", 4)),
        }),
    protocolIdentifier: view.getUint8(at("key.protocol")),
    ...((flags & FLOW_PORTS) === 0
      ? {}
      : {
          sourceTransportPort: view.getUint16(at("key.source_port")),
          destinationTransportPort: view.getUint16(at("key.destination_port")),
        }),
    flowLabelIPv6: view.getUint32(at("flow_label")),
    ipClassOfService: view.getUint8(at("traffic_class")),
    ...((flags & FLOW_VLAN) === 0 ? {} : { vlanId: view.getUint16(at("key.vlan_id")) }),
    ...((flags & FLOW_CUSTOMER_VLAN) === 0
      ? {}
      : { dot1qCustomerVlanId: view.getUint16(at("key.customer_vlan_id")) }),
    ...((flags & FLOW_TUNNEL) === 0
      ? {}
      : {
          tunnelSourceIPv6Address: addressText(octets("tunnel_source", 16)),
          tunnelDestinationIPv6Address: addressText(octets("tunnel_destination", 16)),
        }),
    packetDeltaCount: view.getBigUint64(at("packets"), true),
    octetDeltaCount: view.getBigUint64(at("octets"), true),
    flowStartMilliseconds: milliseconds("first"),
    flowEndMilliseconds: milliseconds("last"),
    minimumTTL: view.getUint8(at("minimum_ttl")),
    maximumTTL: view.getUint8(at("maximum_ttl")),
  };
  if ((extensionFlags & DEX_SEQUENCE_NUMBER) !== 0) {
    flow.ioamSequenceNumberLowest = view.getUint32(at("lowest"), true);
    flow.ioamSequenceNumberHighest = view.getUint32(at("sequence_highest"), true);
    flow.ioamLostPacketCount = view.getBigInt64(at("lost"), true);
    flow.ioamExpectedPacketCount = view.getBigUint64(at("expected"), true);
    flow.ioamReorderedPacketCount = view.getBigUint64(at("reordered"), true);
    flow.ioamDuplicatePacketCount = view.getBigUint64(at("duplicates"), true);
  }
  return flow;
}
