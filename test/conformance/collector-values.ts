// Flow records as nfdump and nfacctd stored them: those elements that they know or were told of.
import type { NfacctdOptions } from "../lab/nfacctd.ts";
import { addressText, unhex } from "../lab/octets.ts";
import { signedValue, unsignedValue } from "./decoder.ts";
import { ENTERPRISE_ELEMENTS, type EnterpriseElement } from "./flow-elements.ts";
import type { FlowValues } from "./flow-values.ts";

type Flow = Record<string, string | number>;

const NFDUMP: Readonly<Record<string, string>> = {
  packetDeltaCount: "in_packets",
  octetDeltaCount: "in_bytes",
  protocolIdentifier: "proto",
  sourceTransportPort: "src_port",
  destinationTransportPort: "dst_port",
  ipClassOfService: "src_tos",
  sourceIPv6Address: "src6_addr",
  destinationIPv6Address: "dst6_addr",
  sourceIPv4Address: "src4_addr",
  destinationIPv4Address: "dst4_addr",
  ingressInterface: "input_snmp",
  egressInterface: "output_snmp",
  flowDirection: "direction",
  vlanId: "src_vlan",
  flowStartMilliseconds: "first",
  flowEndMilliseconds: "last",
};

/** The elements that nfdump keeps. */
export const NFDUMP_ELEMENTS: readonly string[] = Object.keys(NFDUMP);

/** One flow as `nfdump -o json` prints it. */
export function nfdumpValues(flow: Flow): FlowValues {
  // It takes the ports of ICMP for type and code.
  const ports =
    flow.icmp_type === undefined
      ? {}
      : { src_port: 0, dst_port: 256 * Number(flow.icmp_type) + Number(flow.icmp_code) };
  const known: Flow = { ...flow, ...ports };
  const values: FlowValues = {};
  for (const [name, key] of Object.entries(NFDUMP)) {
    const value = known[key];
    if (value === undefined) continue;
    if (name.endsWith("Address")) values[name] = String(value);
    // In local time, as Date reads it.
    else if (name.endsWith("Milliseconds")) values[name] = BigInt(Date.parse(String(value)));
    else values[name] = BigInt(value);
  }
  return values;
}

const NFACCTD: Readonly<Record<string, { aggregate: string; key: string }>> = {
  sourceTransportPort: { aggregate: "src_port", key: "port_src" },
  destinationTransportPort: { aggregate: "dst_port", key: "port_dst" },
  ipClassOfService: { aggregate: "tos", key: "tos" },
  ingressInterface: { aggregate: "in_iface", key: "iface_in" },
  egressInterface: { aggregate: "out_iface", key: "iface_out" },
};

const iana = (id: number, name: string, type: string, length: number): EnterpriseElement => ({
  ...{ name, id, type, length },
  enterprise: 0,
});

/** Elements that it is told of; it takes none with the id 0. */
const TOLD: readonly EnterpriseElement[] = [
  iana(4, "protocolIdentifier", "unsigned8", 1),
  iana(31, "flowLabelIPv6", "unsigned32", 4),
  iana(52, "minimumTTL", "unsigned8", 1),
  iana(53, "maximumTTL", "unsigned8", 1),
  iana(58, "vlanId", "unsigned16", 2),
  iana(61, "flowDirection", "unsigned8", 1),
  iana(136, "flowEndReason", "unsigned8", 1),
  iana(245, "dot1qCustomerVlanId", "unsigned16", 2),
  ...ENTERPRISE_ELEMENTS.filter(({ id }) => id !== 0),
];

/** How nfacctd has to be set up. */
export const NFACCTD_OPTIONS: NfacctdOptions = {
  aggregate: ["src_host", "dst_host", ...Object.values(NFACCTD).map(({ aggregate }) => aggregate)],
  elements: TOLD,
};

/** The elements that nfacctd then tells of. */
export const NFACCTD_ELEMENTS: readonly string[] = [
  ...Object.keys(NFACCTD),
  ...["IPv4", "IPv6"].flatMap((v) => [`source${v}Address`, `destination${v}Address`]),
  ...["packetDeltaCount", "octetDeltaCount"],
  ...TOLD.map(({ name }) => name),
];

/** One flow of nfacctd's. */
export function nfacctdValues(flow: Flow): FlowValues {
  const version = String(flow.ip_src).includes(":") ? "IPv6" : "IPv4";
  const values: FlowValues = {
    [`source${version}Address`]: String(flow.ip_src),
    [`destination${version}Address`]: String(flow.ip_dst),
    packetDeltaCount: BigInt(flow.packets),
    octetDeltaCount: BigInt(flow.bytes),
  };
  for (const [name, { key }] of Object.entries(NFACCTD)) values[name] = BigInt(flow[key]);
  for (const { name, type, length } of TOLD) {
    const text = String(flow[name.toLowerCase()]);
    if (text === "") continue; // its template lacks the element
    // What it prints as a number; anything else is octets, "0A-1B".
    if (type.startsWith("unsigned") && length !== 3) {
      values[name] = BigInt(text);
      continue;
    }
    const octets = unhex(text.replaceAll("-", ""));
    if (octets.length !== length) throw new Error(`${name} has ${octets.length} octets`);
    if (type === "ipv6Address") values[name] = addressText(octets);
    else values[name] = (type === "signed64" ? signedValue : unsignedValue)(octets);
  }
  return values;
}
