// Frames as a stack hands them to a device that segments and completes checksums (GSO).
import { pseudoHeaderSum } from "./checksum.ts";
import { addressOctets, big, concat } from "./octets.ts";
import { type Option, optionsOctets } from "./options.ts";
import { linkOctets, type Packet, packetOctets } from "./packet.ts";

/** What differs from zero in struct virtio_net_hdr (linux/virtio_net.h). */
export interface Offload {
  /** Octets that stay in the linear part of a frame of more than a page. */
  headerLength: number;
  /** One frame stands for many packets, of `size` octets of payload each. */
  gso?: { type: "tcp6" | "udp"; size: number };
  /** Where the checksum to complete begins to cover, and its place from there. */
  checksum?: { start: number; offset: number };
}

/** A GSO frame: how many packets it stands for, and the IP octets of all of them. */
export interface GsoFrame {
  octets: Uint8Array;
  offload: Offload;
  segments: number;
  ipOctets: number;
}

/** The frame of a packet that ends in UDP or TCP, to be cut into segments of `size` octets payload. */
export function gsoFrame(packet: Packet, size: number): GsoFrame {
  const transport = packet.layers.at(-1);
  const ip = packet.layers.findLast((layer) => layer.kind === "ipv6");
  if ((transport?.kind !== "udp" && transport?.kind !== "tcp") || ip === undefined) {
    throw new Error("a GSO frame is IPv6 and ends in UDP or TCP");
  }
  const udp = transport.kind === "udp";
  const payload = transport.payload?.length ?? 64;
  const octets = packetOctets(packet);
  const start = octets.length - payload - (udp ? 8 : 20);
  const covered = octets.length - start;
  const offset = udp ? 6 : 16;
  // CHECKSUM_PARTIAL: the field holds the sum of the pseudo header, the device adds the rest.
  const source = addressOctets(ip.source);
  const pseudo = pseudoHeaderSum(source, addressOctets(ip.destination), udp ? 17 : 6, covered);
  octets.set(big(pseudo, 2), start + offset);
  const segments = Math.ceil(payload / size);
  const headerLength = octets.length - payload;
  return {
    octets,
    offload: {
      headerLength,
      gso: { type: udp ? "udp" : "tcp6", size },
      checksum: { start, offset },
    },
    segments,
    ipOctets: segments * (headerLength - linkOctets(packet).length) + payload,
  };
}

/** A Hop-by-Hop header for a socket (IPV6_HOPOPTS); the kernel sets its next header. */
export function hopByHop(...options: Option[]): Uint8Array {
  const octets = optionsOctets(options);
  return concat([0, (octets.length + 2) / 8 - 1], octets);
}
