// Layers and options that several wire cases share.
import { FLOW_ID, type Option, SEQUENCE } from "./options.ts";
import type { IPv4Layer, IPv6Layer } from "./packet.ts";
import type { UdpLayer } from "./transport.ts";

export const UDP: UdpLayer = { kind: "udp", sourcePort: 40000, destinationPort: 53000 };
export const INNER6: IPv6Layer = {
  kind: "ipv6",
  source: "2001:db8:1::10",
  destination: "2001:db8:2::20",
  trafficClass: 0x88,
  flowLabel: 0xfedcb,
  hopLimit: 17,
};
export const INNER4: IPv4Layer = {
  kind: "ipv4",
  source: "192.0.2.1",
  destination: "198.51.100.7",
  typeOfService: 0x10,
  timeToLive: 9,
};
export const SECOND_DEX: Option = {
  kind: "dex",
  namespace: 456,
  extensionFlags: FLOW_ID | SEQUENCE,
  traceType: 0x800000,
  flowId: 7,
  sequence: 9,
};
