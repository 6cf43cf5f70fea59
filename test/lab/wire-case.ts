// One case of the wire table: a packet and what the meter ought to make of it.
import { dexOptions, type ExpectedFlow, expectedFlow } from "./expected-flow.ts";
import { type Packet, packetOctets, withoutLink } from "./packet.ts";

export type Expectation =
  /** Metered; `further` counts the DEX options after the one that is. */
  | { kind: "flow"; flow: ExpectedFlow; further: number }
  /** A DEX option that cannot be read: counted with its packet's octets. */
  | { kind: "malformed"; octets: number }
  /** Options that cannot be read and where it is open whether a DEX option is among them. */
  | { kind: "malformed options" }
  /** Readable options, none of them DEX. */
  | { kind: "no dex"; trace: number; other: number }
  /** Left at the first test: not IPv6, or no options header. */
  | { kind: "ignored" };

export interface WireCase {
  name: string;
  packet: Packet;
  octets: Uint8Array;
  expect: Expectation;
}

function make(name: string, packet: Packet, expect: Expectation): WireCase {
  return { name, packet, octets: packetOctets(packet), expect };
}

/** A well-formed DEX packet; the flow follows from the description, `known` overrides. */
export function metered(name: string, packet: Packet, known: Partial<ExpectedFlow> = {}): WireCase {
  const flow = expectedFlow(packet);
  if (flow === undefined) throw new Error(`case "${name}" has no DEX option`);
  const further = dexOptions(packet).length - 1;
  return make(name, packet, { kind: "flow", flow: { ...flow, ...known }, further });
}

/** A packet whose DEX option is inconsistent. */
export function malformed(name: string, packet: Packet): WireCase {
  const octets = expectedFlow(packet)?.octets ?? 0;
  return make(name, packet, { kind: "malformed", octets });
}

/** A packet whose options header is inconsistent. */
export function malformedOptions(name: string, packet: Packet): WireCase {
  return make(name, packet, { kind: "malformed options" });
}

/** A packet with `trace` pre-allocated trace options and `other` further IOAM options, no DEX. */
export function noDex(
  name: string,
  packet: Packet,
  counts: { trace?: number; other?: number } = {},
): WireCase {
  const { trace = 0, other = 0 } = counts;
  return make(name, packet, { kind: "no dex", trace, other });
}

/** A packet that is none of the meter's business. */
export function ignored(name: string, packet: Packet): WireCase {
  return make(name, packet, { kind: "ignored" });
}

/** The same case on a device without a link layer, where no VLAN tag is seen. */
export function onLayer3(of: WireCase): WireCase {
  const packet = withoutLink(of.packet);
  const expect: Expectation =
    of.expect.kind === "flow"
      ? { ...of.expect, flow: { ...of.expect.flow, vlanId: undefined, customerVlanId: undefined } }
      : of.expect;
  return make(`${of.name}, no link layer`, packet, expect);
}
