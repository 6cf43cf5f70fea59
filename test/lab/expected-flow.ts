// What the meter ought to report of a packet, worked out from its description, not from its octets.
import { addressOctets, addressText } from "./octets.ts";
import { type DexOption, FLOW_ID, SEQUENCE } from "./options.ts";
import { ipOctets, type Layer, type Packet, protocolOf } from "./packet.ts";

/** A field that cannot be known is undefined. */
export interface ExpectedFlow {
  namespace: number;
  /** "0xXXXXXX" */
  traceType: string;
  extensionFlags: number;
  flowId: number | undefined;
  sequence: number | undefined;
  /** The inner ones of a tunnelled packet. */
  ipVersion: 4 | 6;
  source: string;
  destination: string;
  protocol: number;
  sourcePort: number | undefined;
  destinationPort: number | undefined;
  /** Of the header that carries the DEX option, the outer one of a tunnel; so are class and hop limit. */
  flowLabel: number;
  trafficClass: number;
  hopLimit: number;
  /** Outermost tag. */
  vlanId: number | undefined;
  customerVlanId: number | undefined;
  tunnelSource: string | undefined;
  tunnelDestination: string | undefined;
  /** Of the whole IP packet as its (outer) header states it. */
  octets: number;
}

const SKIPPED = new Set(["hopByHop", "destination", "routing", "fragment", "authentication"]);

/** The DEX options of the outer packet in order: of the headers before the tunnel or transport. */
export function dexOptions(packet: Packet): DexOption[] {
  const found: DexOption[] = [];
  for (const layer of packet.layers.slice(1)) {
    if (!SKIPPED.has(layer.kind)) break;
    if (layer.kind !== "hopByHop" && layer.kind !== "destination") continue;
    for (const option of layer.options) if (option.kind === "dex") found.push(option);
  }
  return found;
}

/** Index of the first layer at or after `from` that is no extension header, and whether ports are there. */
function upperLayer(layers: Layer[], from: number): { at: number; whole: boolean } {
  let at = from;
  let whole = true;
  for (; at < layers.length && SKIPPED.has(layers[at]!.kind); at++) {
    const layer = layers[at]!;
    if (layer.kind === "fragment" && layer.offset > 0) whole = false;
  }
  return { at, whole };
}

function canonical(address: string): string {
  return addressText(addressOctets(address));
}

/** The flow of a well-formed packet; undefined if it carries no DEX option or is not IPv6. */
export function expectedFlow(packet: Packet): ExpectedFlow | undefined {
  const outer = packet.layers[0]!;
  const dex = dexOptions(packet)[0];
  if (outer.kind !== "ipv6" || dex === undefined) return undefined;

  let ip: Layer = outer;
  let { at, whole } = upperLayer(packet.layers, 1);
  const inner = packet.layers[at];
  const tunnelled = whole && (inner?.kind === "ipv6" || inner?.kind === "ipv4");
  if (tunnelled) {
    ip = inner;
    ({ at, whole } = upperLayer(packet.layers, at + 1));
    if (ip.kind === "ipv4" && (ip.fragmentOffset ?? 0) > 0) whole = false;
  }
  const upper = packet.layers[at];
  const ports =
    whole && (upper?.kind === "udp" || upper?.kind === "tcp" || upper?.kind === "sctp")
      ? upper
      : undefined;
  const flowId = dex.extensionFlags & FLOW_ID ? (dex.flowId ?? 0) : undefined;
  const sequence = dex.extensionFlags & SEQUENCE ? (dex.sequence ?? 0) : undefined;
  return {
    namespace: dex.namespace,
    traceType: `0x${dex.traceType.toString(16).padStart(6, "0")}`,
    extensionFlags: dex.extensionFlags,
    flowId,
    sequence,
    ipVersion: ip.kind === "ipv4" ? 4 : 6,
    source: canonical((ip as { source: string }).source),
    destination: canonical((ip as { destination: string }).destination),
    protocol: protocolOf(upper),
    sourcePort: ports?.sourcePort,
    destinationPort: ports?.destinationPort,
    flowLabel: outer.flowLabel ?? 0,
    trafficClass: outer.trafficClass ?? 0,
    hopLimit: outer.hopLimit ?? 64,
    vlanId: packet.link?.tags?.[0]?.id,
    customerVlanId: packet.link?.tags?.[1]?.id,
    tunnelSource: tunnelled ? canonical(outer.source) : undefined,
    tunnelDestination: tunnelled ? canonical(outer.destination) : undefined,
    octets:
      outer.payloadLength === undefined
        ? ipOctets({ ...packet, link: null }).length
        : 40 + outer.payloadLength,
  };
}
