// Transport headers and their checksums: UDP, TCP, ICMPv6, SCTP, ESP.
import { crc32c } from "./checksum.ts";
import { big, concat } from "./octets.ts";

export interface UdpLayer {
  kind: "udp";
  sourcePort: number;
  destinationPort: number;
  payload?: Uint8Array;
}

export interface TcpLayer {
  kind: "tcp";
  sourcePort: number;
  destinationPort: number;
  sequence?: number;
  /** 0x10 (ACK) unless told. */
  flags?: number;
  payload?: Uint8Array;
}

export interface Icmpv6Layer {
  kind: "icmpv6";
  type: number;
  code: number;
  /** After the checksum. */
  payload?: Uint8Array;
}

/** SCTP with one DATA chunk. */
export interface SctpLayer {
  kind: "sctp";
  sourcePort: number;
  destinationPort: number;
  payload?: Uint8Array;
}

export interface EspLayer {
  kind: "esp";
  spi: number;
  sequence: number;
  /** Opaque: what would be encrypted. */
  payload?: Uint8Array;
}

export type Transport = UdpLayer | TcpLayer | Icmpv6Layer | SctpLayer | EspLayer;

/** Octets 0, 1, 2, … as a payload. */
export function counting(octets: number): Uint8Array {
  return Uint8Array.from({ length: octets }, (_, i) => i);
}

export function transportProtocol(layer: Transport): number {
  return { udp: 17, tcp: 6, icmpv6: 58, sctp: 132, esp: 50 }[layer.kind];
}

/** Header and payload with the checksum; `sum` adds the pseudo header to what it is given. */
export function transportOctets(
  layer: Transport,
  sum: (protocol: number, octets: Uint8Array) => number,
): Uint8Array {
  const payload = layer.payload ?? counting(64);
  const protocol = transportProtocol(layer);
  const seal = (octets: Uint8Array, at: number) => {
    const checksum = ~sum(protocol, octets) & 0xffff;
    octets.set(big(protocol === 17 && checksum === 0 ? 0xffff : checksum, 2), at);
    return octets;
  };
  const ports = (of: { sourcePort: number; destinationPort: number }) =>
    concat(big(of.sourcePort, 2), big(of.destinationPort, 2));

  switch (layer.kind) {
    case "udp":
      return seal(concat(ports(layer), big(8 + payload.length, 2), [0, 0], payload), 6);
    case "tcp": {
      const fixed = [5 << 4, layer.flags ?? 0x10, 0xff, 0xff, 0, 0, 0, 0];
      return seal(concat(ports(layer), big(layer.sequence ?? 1, 4), big(1, 4), fixed, payload), 16);
    }
    case "icmpv6":
      return seal(concat([layer.type, layer.code, 0, 0], payload), 2);
    case "sctp": {
      // type DATA, flags B and E, length | TSN | stream and its sequence number | protocol id
      const fixed = concat([0, 3], big(16 + payload.length, 2), big(1, 4), big(0, 4), big(0, 4));
      const chunk = concat(fixed, payload);
      const filled = concat(chunk, new Uint8Array(-chunk.length & 3));
      const octets = concat(ports(layer), big(0x1a2b3c4d, 4), big(0, 4), filled);
      new DataView(octets.buffer).setUint32(8, crc32c(octets), true);
      return octets;
    }
    case "esp":
      return concat(big(layer.spi, 4), big(layer.sequence, 4), payload);
  }
}
