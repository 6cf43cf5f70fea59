// The usual DEX packet with defaults for whatever a test does not care about.
import { type DexOption, FLOW_ID, type Option, SEQUENCE } from "./options.ts";
import type { IPv6Layer, Layer, Link, Packet } from "./packet.ts";

export interface DexPacketOptions
  extends Partial<Omit<DexOption, "kind">>,
    Partial<Omit<IPv6Layer, "kind">> {
  link?: Link | null;
  /** Header that carries the option: Hop-by-Hop unless told. */
  carrier?: "hopByHop" | "destination";
  /** Options before and after the DEX option. */
  before?: Option[];
  after?: Option[];
  /** What follows the options header: UDP 40000 → 53000 with 64 octets unless told. */
  upper?: Layer[];
  /** Layers between the IPv6 header and the options header. */
  between?: Layer[];
}

/** Namespace 123, trace type 0xf00000, flow id 0xabcdef and sequence number 0, fd00:1::1 → fd00:2::1. */
export function dexPacket(o: DexPacketOptions = {}): Packet {
  const { link, carrier, before, after, upper, between, ...fields } = o;
  const {
    source,
    destination,
    trafficClass,
    flowLabel,
    hopLimit,
    payloadLength,
    nextHeader,
    ...dex
  } = fields;
  const ip: IPv6Layer = {
    kind: "ipv6",
    source: source ?? "fd00:1::1",
    destination: destination ?? "fd00:2::1",
    trafficClass: trafficClass ?? 0x2c,
    flowLabel: flowLabel ?? 0x12345,
    hopLimit: hopLimit ?? 64,
    ...(payloadLength === undefined ? {} : { payloadLength }),
    ...(nextHeader === undefined ? {} : { nextHeader }),
  };
  const option: DexOption = {
    kind: "dex",
    namespace: 123,
    traceType: 0xf00000,
    extensionFlags: FLOW_ID | SEQUENCE,
    flowId: 0xabcdef,
    sequence: 0,
    ...dex,
  };
  return {
    link: link === undefined ? {} : link,
    layers: [
      ip,
      ...(between ?? []),
      { kind: carrier ?? "hopByHop", options: [...(before ?? []), option, ...(after ?? [])] },
      ...(upper ?? [{ kind: "udp", sourcePort: 40000, destinationPort: 53000 }]),
    ],
  };
}
