// Where the fields are in a frame that the generator varies, found from the frame's description.
import { onesSum } from "./checksum.ts";
import { type DexPacketOptions, dexPacket } from "./dex-packet.ts";
import { dexOptions } from "./expected-flow.ts";
import { addressOctets, addressText } from "./octets.ts";
import { FLOW_ID, SEQUENCE } from "./options.ts";
import { ipOctets, linkOctets, type Packet, packetOctets } from "./packet.ts";

/** A frame of generated traffic: flow 0 with sequence number 0, and the offsets of what varies. */
export interface Frame {
  packet: Packet;
  octets: Uint8Array;
  headerLength: number;
  addressOffset: number;
  addressBase: number;
  flowIdOffset: number;
  flowIdBase: number;
  portOffset: number;
  portBase: number;
  sequenceOffset: number;
  checksumOffset: number;
  /** Ones' complement sum, big-endian, of what the checksum covers but the varying fields. */
  checksumSum: number;
  /** The same of the payload. */
  payloadSum: number;
  hopLimitOffset: number;
  hopLimit: number;
  payloadLengthOffset: number;
  payloadLength: number;
}

/** The same packet with other values in its DEX option. */
function withDex(packet: Packet, dex: DexPacketOptions): Packet {
  const layers = packet.layers.map((layer) =>
    layer.kind === "hopByHop" || layer.kind === "destination"
      ? {
          ...layer,
          options: layer.options.map((option) =>
            option.kind === "dex" ? { ...option, ...dex } : option,
          ),
        }
      : layer,
  );
  return { ...packet, layers } as Packet;
}

/** Offset of the 4 octets that the value of a DEX field fills. */
function fieldOffset(packet: Packet, field: "flowId" | "sequence"): number {
  const zeros = packetOctets(withDex(packet, { [field]: 0 }));
  const ones = packetOctets(withDex(packet, { [field]: 0xffffffff }));
  return zeros.findIndex((octet, i) => octet !== ones[i]);
}

/**
 * The frame of a packet with a link layer, one DEX option and UDP with a payload of a multiple of 8
 * octets. Its flow id, (inner) source address and source port are those of flow 0.
 */
export function frame(packet: Packet = dexPacket({ source: "fd00:1::" })): Frame {
  const udp = packet.layers.at(-1);
  const dex = dexOptions(packet)[0];
  const outer = packet.layers[0];
  if (udp?.kind !== "udp" || outer?.kind !== "ipv6" || packet.link === null || !dex) {
    throw new Error("generated traffic has a link layer, IPv6, a DEX option and UDP");
  }
  const ipAt = packet.layers.findLastIndex((l) => l.kind === "ipv6" || l.kind === "ipv4");
  const ip = packet.layers[ipAt] as { kind: "ipv6" | "ipv4"; source: string };
  const octets = packetOctets(withDex(packet, { sequence: 0 }));
  const linkLength = linkOctets(packet).length;
  const ipOffset =
    octets.length - ipOctets({ link: null, layers: packet.layers.slice(ipAt) }).length;
  const payloadLength = udp.payload?.length ?? 64;
  const headerLength = octets.length - payloadLength;
  if (payloadLength % 8 !== 0) throw new Error(`payload of ${payloadLength} octets: not 8n`);
  if (headerLength > 250) throw new Error(`headers of ${headerLength} octets: more than 250`);

  // The checksum of this very packet tells the sum of everything; the varying fields are taken off.
  const address = addressOctets(ip.source);
  const header = octets.subarray(headerLength - 8, headerLength);
  const all = ~((header[6]! << 8) | header[7]!) & 0xffff;
  const varying = onesSum(address.subarray(-4), onesSum(header.subarray(0, 2)));

  return {
    packet,
    octets,
    headerLength,
    addressOffset: ipOffset + (ip.kind === "ipv6" ? 8 + 12 : 12),
    addressBase: new DataView(address.buffer).getUint32(address.length - 4),
    flowIdOffset: dex.extensionFlags & FLOW_ID ? fieldOffset(packet, "flowId") : 0,
    flowIdBase: dex.flowId ?? 0,
    portOffset: headerLength - 8,
    portBase: udp.sourcePort,
    sequenceOffset: dex.extensionFlags & SEQUENCE ? fieldOffset(packet, "sequence") : 0,
    checksumOffset: headerLength - 2,
    checksumSum: (all + 0xffff - varying) % 0xffff,
    payloadSum: onesSum(octets.subarray(headerLength)),
    hopLimitOffset: linkLength + 7,
    hopLimit: outer.hopLimit ?? 64,
    payloadLengthOffset: linkLength + 4,
    payloadLength,
  };
}

/** How many source ports the flows of generated traffic use: flow f has port base + f mod span. */
export const PORT_SPAN = 16384;

/** The fields of flow `flow`, as a meter reports them. */
export function flowFields(
  of: Frame,
  flow: number,
): { source: string; sourcePort: number; flowId: number } {
  const octets = of.octets.slice();
  const view = new DataView(octets.buffer);
  view.setUint32(of.addressOffset, of.addressBase + flow);
  const isIPv4 = of.packet.layers.some((layer) => layer.kind === "ipv4");
  const from = of.addressOffset - (isIPv4 ? 0 : 12);
  return {
    source: addressText(octets.subarray(from, of.addressOffset + 4)),
    sourcePort: of.portBase + (flow % PORT_SPAN),
    flowId: (of.flowIdBase + flow) >>> 0,
  };
}
