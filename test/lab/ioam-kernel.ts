// The kernel's own IOAM in a namespace, set up as a node; and packets with a trace for it to fill.
import { dexPacket } from "./dex-packet.ts";
import { type NodeModel, nodeLengthOf, nodeOctets } from "./ioam-node.ts";
import type { Netns } from "./netns.ts";
import { concat, hex } from "./octets.ts";
import type { Option } from "./options.ts";
import type { Packet } from "./packet.ts";

export interface IoamNamespace {
  id: number;
  data?: number;
  wide?: bigint;
  /** Schema of the opaque state snapshot. */
  schema?: number;
}

export interface IoamNode {
  id?: number;
  idWide?: bigint;
  /** By device; those that have IOAM enabled are listed in `enabled`. */
  interfaces: Record<string, { id?: number; idWide?: number }>;
  enabled: string[];
  namespaces: IoamNamespace[];
  /** By id: printable, a multiple of 4 octets. */
  schemas?: Record<number, string>;
}

/** Sets a namespace up as a node, with `ip ioam` and sysctl. */
export async function setUpNode(netns: Netns, node: IoamNode): Promise<void> {
  const controls: Record<string, string | number> = {};
  if (node.id !== undefined) controls["net.ipv6.ioam6_id"] = node.id;
  if (node.idWide !== undefined) controls["net.ipv6.ioam6_id_wide"] = String(node.idWide);
  for (const [name, { id, idWide }] of Object.entries(node.interfaces)) {
    if (id !== undefined) controls[`net.ipv6.conf.${name}.ioam6_id`] = id;
    if (idWide !== undefined) controls[`net.ipv6.conf.${name}.ioam6_id_wide`] = idWide;
  }
  for (const name of node.enabled) controls[`net.ipv6.conf.${name}.ioam6_enabled`] = 1;
  await netns.sysctl(controls);
  const lines = Object.entries(node.schemas ?? {}).map(
    ([id, text]) => `ioam schema add ${id} ${text}`,
  );
  for (const { id, data, wide, schema } of node.namespaces) {
    lines.push(
      `ioam namespace add ${id}` +
        (data === undefined ? "" : ` data 0x${data.toString(16)}`) +
        (wide === undefined ? "" : ` wide 0x${wide.toString(16)}`),
    );
    if (schema !== undefined) lines.push(`ioam namespace set ${id} schema ${schema}`);
  }
  await netns.ip(...lines);
}

export interface TraceModel {
  namespace: number;
  traceType: number;
  /** Nodes that the packet has passed already, along the path. */
  nodes: NodeModel[];
  /** Octets of room for further nodes. */
  room: number;
  flags?: number;
}

/** A pre-allocated trace option (RFC 9197, 4.4): the newest node first, behind the room that is left. */
export function traceOption(trace: TraceModel): Option {
  const filled = trace.nodes.map((node) => nodeOctets(trace.traceType, node)).reverse();
  return {
    kind: "trace",
    namespace: trace.namespace,
    nodeLength: nodeLengthOf(trace.traceType),
    flags: trace.flags ?? 0,
    remainingLength: trace.room / 4,
    traceType: trace.traceType,
    data: concat(new Uint8Array(trace.room), ...filled),
  };
}

/** A packet with that trace alone, from the router laboratory's source to its sink. */
export function tracePacket(trace: TraceModel, hopLimit = 64): Packet {
  const packet = dexPacket({ hopLimit });
  return {
    ...packet,
    layers: packet.layers.map((layer) =>
      layer.kind === "hopByHop" ? { ...layer, options: [traceOption(trace)] } : layer,
    ),
  };
}

/** Octets of text. */
export function textOctets(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** For messages of tests. */
export function describeTrace(trace: TraceModel): string {
  const nodes = trace.nodes.map((node) => hex(nodeOctets(trace.traceType, node))).join(" ");
  return `type 0x${trace.traceType.toString(16)} room ${trace.room} nodes ${nodes}`;
}
