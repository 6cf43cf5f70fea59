// Flow records as nfdump and nfacctd stored them: those elements that they know or were told of.
import { addressText, unhex } from "../lab/octets.ts";
import { signedValue, unsignedValue } from "./decoder.ts";
import { ENTERPRISE_ELEMENTS } from "./flow-elements.ts";
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
  vlanId: { aggregate: "vlan", key: "vlan" },
};

/** It cannot be told of an element with the id 0. */
const NFACCTD_ENTERPRISE = ENTERPRISE_ELEMENTS.filter(({ id }) => id !== 0);

/** What nfacctd has to key by: in the names of pmacct, then elements. */
export const NFACCTD_AGGREGATE: readonly string[] = [
  "src_host",
  "dst_host",
  ...Object.values(NFACCTD).map(({ aggregate }) => aggregate),
];

/** The elements that nfacctd then tells of. */
export const NFACCTD_ELEMENTS: readonly string[] = [
  ...Object.keys(NFACCTD),
  ...["IPv4", "IPv6"].flatMap((v) => [`source${v}Address`, `destination${v}Address`]),
  ...["packetDeltaCount", "octetDeltaCount", "flowDirection"],
  ...NFACCTD_ENTERPRISE.map(({ name }) => name),
];

/** One line of nfacctd's. It has no direction: only at egress is there an egress interface. */
export function nfacctdValues(flow: Flow): FlowValues {
  const version = String(flow.ip_src).includes(":") ? "IPv6" : "IPv4";
  const values: FlowValues = {
    [`source${version}Address`]: String(flow.ip_src),
    [`destination${version}Address`]: String(flow.ip_dst),
    packetDeltaCount: BigInt(flow.packets),
    octetDeltaCount: BigInt(flow.bytes),
    flowDirection: flow.iface_out === 0 ? 0n : 1n,
  };
  for (const [name, { key }] of Object.entries(NFACCTD)) values[name] = BigInt(flow[key]);
  for (const { name, type, length } of NFACCTD_ENTERPRISE) {
    const text = String(flow[name.toLowerCase()]);
    // Octets as "0A-1B"; nothing where the template lacks the element.
    if (text === "") continue;
    if (!text.includes("-")) {
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
