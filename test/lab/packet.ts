// Builds packets of any shape, octet by octet, independently of the code under test.
import { internetChecksum, onesSum, pseudoHeaderSum } from "./checksum.ts";
import { addressOctets, big, concat, macOctets } from "./octets.ts";
import { type Option, optionsOctets } from "./options.ts";
import { type Transport, transportOctets, transportProtocol } from "./transport.ts";

/** An Ethernet header; the EtherType follows from the first layer. */
export interface Link {
  source?: string;
  destination?: string;
  /** Outermost first; at most two make sense. */
  tags?: VlanTag[];
}

export interface VlanTag {
  /** 0x8100 unless told; 0x88a8 for the outer tag of QinQ. */
  protocol?: number;
  id: number;
  priority?: number;
}

export interface IPv6Layer {
  kind: "ipv6";
  source: string;
  destination: string;
  trafficClass?: number;
  /** 20 bits. */
  flowLabel?: number;
  hopLimit?: number;
  /** Overrides the true length. */
  payloadLength?: number;
  /** Overrides what follows. */
  nextHeader?: number;
}

export interface IPv4Layer {
  kind: "ipv4";
  source: string;
  destination: string;
  typeOfService?: number;
  timeToLive?: number;
  /** Octets of options, a multiple of 4. */
  options?: Uint8Array;
  /** In units of 8 octets. */
  fragmentOffset?: number;
  moreFragments?: boolean;
}

export interface OptionsLayer {
  kind: "hopByHop" | "destination";
  options: Option[];
  /** Overrides the header length octet (8-octet units, the first not counted). */
  extensionLength?: number;
}

/** A Routing header of type 4 (SRH, RFC 8754) without TLVs. */
export interface RoutingLayer {
  kind: "routing";
  segmentsLeft: number;
  /** Last segment first. */
  segments: string[];
}

export interface FragmentLayer {
  kind: "fragment";
  /** In units of 8 octets. */
  offset: number;
  more: boolean;
  identification: number;
}

/** Authentication header (RFC 4302); integrity check value of `icvOctets` octets. */
export interface AuthenticationLayer {
  kind: "authentication";
  spi: number;
  sequence: number;
  /** 12 unless told; the header must be a multiple of 8 octets in IPv6. */
  icvOctets?: number;
}

/** Octets under a protocol number, for example the rest of a datagram in a later fragment. */
export interface RawLayer {
  kind: "raw";
  protocol: number;
  octets: Uint8Array;
}

export type Layer =
  | IPv6Layer
  | IPv4Layer
  | OptionsLayer
  | RoutingLayer
  | FragmentLayer
  | AuthenticationLayer
  | Transport
  | RawLayer;

/** A packet: `link` null for a device without a link layer. The first layer is IPv6 or IPv4. */
export interface Packet {
  link: Link | null;
  layers: Layer[];
  /** Keeps only that many octets of the IP packet. */
  cut?: number;
}

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_IPV6 = 0x86dd;
/** Of frames that say nothing else: from src0 to in0 of the router laboratory. */
export const SOURCE_MAC = "02:00:00:00:01:01";
export const DESTINATION_MAC = "02:00:00:00:01:02";

/** The protocol (next header) number by which a layer is announced. */
export function protocolOf(layer: Layer | undefined): number {
  if (layer === undefined) return 59;
  switch (layer.kind) {
    case "ipv6":
      return 41;
    case "ipv4":
      return 4;
    case "hopByHop":
      return 0;
    case "destination":
      return 60;
    case "routing":
      return 43;
    case "fragment":
      return 44;
    case "authentication":
      return 51;
    case "raw":
      return layer.protocol;
    default:
      return transportProtocol(layer);
  }
}

/** Addresses that the transport checksum covers: with segments left, the last segment counts. */
function checksumAddresses(above: Layer[]): { source: Uint8Array; destination: Uint8Array } {
  for (let i = above.length - 1; i >= 0; i--) {
    const ip = above[i]!;
    if (ip.kind !== "ipv6" && ip.kind !== "ipv4") continue;
    const routing = above.slice(i).find((layer) => layer.kind === "routing");
    const last = routing && routing.segmentsLeft > 0 ? routing.segments[0]! : ip.destination;
    return { source: addressOctets(ip.source), destination: addressOctets(last) };
  }
  throw new Error("a transport layer needs an IP layer above it");
}

function ipv6Octets(layer: IPv6Layer, next: number, payload: Uint8Array): Uint8Array {
  const first =
    0x60000000 + (layer.trafficClass ?? 0) * 0x100000 + ((layer.flowLabel ?? 0) & 0xfffff);
  return concat(
    big(first, 4),
    big(layer.payloadLength ?? payload.length, 2),
    [layer.nextHeader ?? next, layer.hopLimit ?? 64],
    addressOctets(layer.source),
    addressOctets(layer.destination),
    payload,
  );
}

function ipv4Octets(layer: IPv4Layer, next: number, payload: Uint8Array): Uint8Array {
  const options = layer.options ?? new Uint8Array(0);
  const words = 5 + options.length / 4;
  const header = concat(
    [0x40 | words, layer.typeOfService ?? 0],
    big(words * 4 + payload.length, 2),
    [0, 1],
    big((layer.moreFragments ? 0x2000 : 0) | (layer.fragmentOffset ?? 0), 2),
    [layer.timeToLive ?? 64, next, 0, 0],
    addressOctets(layer.source),
    addressOctets(layer.destination),
    options,
  );
  header.set(big(internetChecksum(header), 2), 10);
  return concat(header, payload);
}

function layerOctets(layer: Layer, above: Layer[], next: number, inner: Uint8Array): Uint8Array {
  switch (layer.kind) {
    case "ipv6":
      return ipv6Octets(layer, next, inner);
    case "ipv4":
      return ipv4Octets(layer, next, inner);
    case "hopByHop":
    case "destination": {
      const options = optionsOctets(layer.options);
      const length = layer.extensionLength ?? (options.length + 2) / 8 - 1;
      return concat([next, length], options, inner);
    }
    case "routing": {
      const segments = concat(...layer.segments.map(addressOctets));
      const last = layer.segments.length - 1;
      const fixed = [next, segments.length / 8, 4, layer.segmentsLeft, last, 0, 0, 0];
      return concat(fixed, segments, inner);
    }
    case "fragment":
      return concat(
        [next, 0],
        big(layer.offset * 8 + (layer.more ? 1 : 0), 2),
        big(layer.identification, 4),
        inner,
      );
    case "authentication": {
      const icv = new Uint8Array(layer.icvOctets ?? 12).fill(0xa5);
      const words = (12 + icv.length) / 4 - 2;
      return concat([next, words, 0, 0], big(layer.spi, 4), big(layer.sequence, 4), icv, inner);
    }
    case "raw":
      return concat(layer.octets, inner);
    default: {
      const { source, destination } = checksumAddresses(above);
      return transportOctets(layer, (protocol, octets) =>
        onesSum(octets, pseudoHeaderSum(source, destination, protocol, octets.length)),
      );
    }
  }
}

/** The IP packet alone, as a device without a link layer carries it. */
export function ipOctets(packet: Packet): Uint8Array {
  let out: Uint8Array = new Uint8Array(0);
  for (let i = packet.layers.length - 1; i >= 0; i--) {
    const layer = packet.layers[i]!;
    out = layerOctets(layer, packet.layers.slice(0, i), protocolOf(packet.layers[i + 1]), out);
  }
  return packet.cut === undefined ? out : out.subarray(0, packet.cut);
}

/** The Ethernet header with its tags; empty without a link layer. */
export function linkOctets(packet: Packet): Uint8Array {
  if (packet.link === null) return new Uint8Array(0);
  const tags = (packet.link.tags ?? []).map((tag) =>
    concat(big(tag.protocol ?? 0x8100, 2), big(((tag.priority ?? 0) << 13) | tag.id, 2)),
  );
  return concat(
    macOctets(packet.link.destination ?? DESTINATION_MAC),
    macOctets(packet.link.source ?? SOURCE_MAC),
    ...tags,
    big(packet.layers[0]?.kind === "ipv4" ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6, 2),
  );
}

/** The whole frame, or the IP packet alone if there is no link layer. */
export function packetOctets(packet: Packet): Uint8Array {
  return concat(linkOctets(packet), ipOctets(packet));
}

/** The same packet on a device without a link layer. */
export function withoutLink(packet: Packet): Packet {
  return { ...packet, link: null };
}
