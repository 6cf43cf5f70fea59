// Flow records made by hand, with the values that a collector must read from them.
import type { ExportContext, RecordLayout } from "../../src/ipfix/index.ts";

/** Values of struct flow_record's fields: numbers are native, hexadecimal digits are octets. */
export type FlowFields = Readonly<Record<string, bigint | string>>;

export interface FlowCase {
  name: string;
  /** Which template it takes: IPv6, IPv6 in IPv6, IPv4 in IPv6. */
  kind: 0 | 1 | 2;
  record: FlowFields;
  /** By element: integers, or the hexadecimal digits of an address. */
  expected: Record<string, bigint | string>;
}

/**
 * Values of the elements that no template has by default: they are the same in all cases but for
 * ipVersion. Times are in their own unit since 1970.
 */
export function furtherValues({ kind }: FlowCase): Record<string, bigint> {
  return {
    flowStartSeconds: 1_720_003_600n,
    flowEndSeconds: 1_720_003_611n,
    flowStartMicroseconds: 1_720_003_600_500_000n,
    flowEndMicroseconds: 1_720_003_611_499_499n,
    flowStartNanoseconds: 1_720_003_600_500_000_123n,
    flowEndNanoseconds: 1_720_003_611_499_499_999n,
    ipVersion: kind === 2 ? 4n : 6n,
    ipDiffServCodePoint: 46n,
    ipPrecedence: 5n,
    observationPointId: 7n,
    dot1qVlanId: 100n,
  };
}

/** Unix time minus the records' clock: 2024-07-03T09:46:40.5Z and some nanoseconds, at 0. */
const CLOCK_OFFSET = 1_720_000_000_500_000_123n;

export const flowContext: ExportContext = {
  clockOffset: CLOCK_OFFSET,
  values: { flowEndReason: 2, ioamNodeId: 0xabcdef },
};

const SOURCE = "20010db8000100020003000400050006";
const DESTINATION = "fd000002000000000000000000000001";
const TUNNEL_SOURCE = "20010db8ffff00000000000000007ff0";
const TUNNEL_DESTINATION = "20010db8fffe0000000000000000fff8";

const common: FlowFields = {
  "key.source_address": SOURCE,
  "key.destination_address": DESTINATION,
  "key.flow_id": "00abcdef",
  "key.source_port": "9c40",
  "key.destination_port": "cf08",
  "key.namespace_id": "007b",
  "key.vlan_id": "0064",
  "key.customer_vlan_id": "00c8",
  "key.trace_type": "f00000",
  "key.extension_flags": 0xc0n,
  "key.interface": 7n,
  "key.protocol": 17n,
  "key.flags": 0x0en,
  packets: 1707n,
  octets: 186_818n,
  first: 3_600_000_000_000n,
  last: 3_610_999_499_876n,
  minimum_ttl: 61n,
  maximum_ttl: 63n,
  flow_label: "000f1234",
  ingress_interface: 0n,
  lowest: 4_294_967_290n,
  reordered: 3n,
  duplicates: 1n,
  traffic_class: 0xb8n,
  sequence_highest: 1_700n,
  expected: 1_707n,
  lost: 1n,
};

const decoded: FlowCase["expected"] = {
  flowStartMilliseconds: 1_720_003_600_500n,
  flowEndMilliseconds: 1_720_003_611_499n,
  sourceTransportPort: 40000n,
  destinationTransportPort: 53000n,
  protocolIdentifier: 17n,
  ipClassOfService: 0xb8n,
  flowLabelIPv6: 0xf1234n,
  ingressInterface: 7n,
  egressInterface: 0n,
  flowDirection: 0n,
  vlanId: 100n,
  dot1qCustomerVlanId: 200n,
  packetDeltaCount: 1707n,
  octetDeltaCount: 186_818n,
  minimumTTL: 61n,
  maximumTTL: 63n,
  flowEndReason: 2n,
  ioamNamespaceId: 123n,
  ioamNodeId: 0xabcdefn,
  ioamFlowId: 0xabcdefn,
  ioamTraceType: 0xf00000n,
  ioamExtensionFlags: 0xc0n,
  ioamSequenceNumberLowest: 4_294_967_290n,
  ioamSequenceNumberHighest: 1_700n,
  ioamLostPacketCount: 1n,
  ioamExpectedPacketCount: 1_707n,
  ioamReorderedPacketCount: 3n,
  ioamDuplicatePacketCount: 1n,
};

const ipv6 = { sourceIPv6Address: SOURCE, destinationIPv6Address: DESTINATION };
const tunnel = {
  tunnelSourceIPv6Address: TUNNEL_SOURCE,
  tunnelDestinationIPv6Address: TUNNEL_DESTINATION,
};
const tunnelFields = { tunnel_source: TUNNEL_SOURCE, tunnel_destination: TUNNEL_DESTINATION };

export const FLOW_CASES: readonly FlowCase[] = [
  {
    name: "a flow at ingress",
    kind: 0,
    record: common,
    expected: { ...decoded, ...ipv6 },
  },
  {
    name: "a flow at egress, with more lost than there was",
    kind: 0,
    record: { ...common, "key.flags": 0x03n, ingress_interface: 0x12345678n, lost: -2n },
    expected: {
      ...decoded,
      ...ipv6,
      flowDirection: 1n,
      ingressInterface: 0x12345678n,
      egressInterface: 7n,
      ioamLostPacketCount: -2n,
    },
  },
  {
    name: "a flow of IPv6 in IPv6 with counts beyond 32 bits",
    kind: 1,
    record: {
      ...common,
      ...tunnelFields,
      "key.flags": 0x22n,
      packets: 2n ** 33n + 1n,
      octets: 2n ** 60n + 5n,
      expected: 2n ** 33n + 9n,
      lost: 8n,
      reordered: 2n ** 32n,
      duplicates: 2n ** 40n - 1n,
    },
    expected: {
      ...decoded,
      ...ipv6,
      ...tunnel,
      packetDeltaCount: 2n ** 33n + 1n,
      octetDeltaCount: 2n ** 60n + 5n,
      ioamExpectedPacketCount: 2n ** 33n + 9n,
      ioamLostPacketCount: 8n,
      ioamReorderedPacketCount: 2n ** 32n,
      ioamDuplicatePacketCount: 2n ** 40n - 1n,
    },
  },
  {
    name: "a flow of IPv4 in IPv6 without ports",
    kind: 2,
    record: {
      ...common,
      ...tunnelFields,
      "key.source_address": `c0000201${"00".repeat(12)}`,
      "key.destination_address": `c6336402${"00".repeat(12)}`,
      "key.source_port": "0000",
      "key.destination_port": "0000",
      "key.protocol": 1n,
      "key.flags": 0x30n,
    },
    expected: {
      ...decoded,
      ...tunnel,
      sourceIPv4Address: "c0000201",
      destinationIPv4Address: "c6336402",
      sourceTransportPort: 0n,
      destinationTransportPort: 0n,
      protocolIdentifier: 1n,
    },
  },
];

/** Writes records one behind the other; what is not given is 0. */
export function flowTable(
  layout: RecordLayout,
  cases: readonly { record: FlowFields }[],
): { buffer: ArrayBuffer; offsets: Uint32Array } {
  const octets = new Uint8Array(cases.length * layout.size);
  cases.forEach(({ record }, i) => {
    for (const [name, value] of Object.entries(record)) {
      const { offset, size } = layout.fields[name];
      octets.set(fieldOctets(value, size), i * layout.size + offset);
    }
  });
  const offsets = Uint32Array.from(cases, (_, i) => (i * layout.size) / 4);
  return { buffer: octets.buffer, offsets };
}

function fieldOctets(value: bigint | string, size: number): Uint8Array {
  if (typeof value === "string") {
    if (value.length !== 2 * size) throw new Error(`${value} is not ${size} octets`);
    return Buffer.from(value, "hex");
  }
  return Uint8Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}
