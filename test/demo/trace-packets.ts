// The packets that the trace demo sends, and what a captured one says of the nodes it has passed.
import { type TraceModel, tracePacket } from "../lab/ioam-kernel.ts";
import {
  bitsOf,
  type NodeModel,
  nodeLengthOf,
  SNAPSHOT_BIT,
  TRACE_BITS,
} from "../lab/ioam-node.ts";
import { packetOctets } from "../lab/packet.ts";
import { NAMESPACE } from "./trace-nodes.ts";

/** How many packets of each kind are sent. */
export const ROUNDS = 3;

interface Kind {
  name: string;
  traceType: number;
  hopLimit: number;
  /** False: the packet has no room for another node. */
  room: boolean;
}

const KINDS: readonly Kind[] = [
  { name: "node, interfaces, time", traceType: 0xf00000, hopLimit: 64, room: true },
  { name: "namespace data, queue, wide ids", traceType: 0xb6e000, hopLimit: 64, room: true },
  { name: "opaque state snapshot", traceType: 0xc00002, hopLimit: 64, room: true },
  { name: "what Linux leaves open", traceType: 0x891804, hopLimit: 64, room: true },
  { name: "no room for another node", traceType: 0xf00000, hopLimit: 64, room: false },
  { name: "hop limit 1: dies at the router", traceType: 0xf00000, hopLimit: 1, room: true },
];

/** Octets for two more nodes of any of these kinds. */
const ROOM = 120;
const ETHERNET = 14;
const IPV6 = 40;
const IOAM_OPTION = 0x31;
const ONES = [0xffffffffn, 0xffffffffffffffffn] as const;

export interface SentTrace extends Kind {
  /** Node id that the source wrote: by it the packet is known. */
  mark: number;
  trace: TraceModel;
  frame: Uint8Array;
}

/** Round after round one of each kind; the source writes its own data, as an encapsulating node. */
export function tracePackets(now: number): SentTrace[] {
  return Array.from({ length: ROUNDS }, (_, round) =>
    KINDS.map((kind, i) => {
      const mark = 0x1000 + round * KINDS.length + i;
      const trace: TraceModel = {
        namespace: NAMESPACE,
        traceType: kind.traceType,
        nodes: [sourceNode(mark, kind, now)],
        room: kind.room ? ROOM : 0,
      };
      const frame = packetOctets(tracePacket(trace, kind.hopLimit));
      return { ...kind, mark, trace, frame };
    }),
  ).flat();
}

function sourceNode(mark: number, { hopLimit }: Kind, now: number): NodeModel {
  const hops = BigInt(hopLimit);
  const values = new Map<number, bigint>();
  for (const [bit, [, octets]] of TRACE_BITS.entries()) values.set(bit, ONES[(octets / 8) | 0]!);
  values.set(0, (hops << 24n) | BigInt(mark));
  values.set(1, (0xffffn << 16n) | 10n);
  values.set(2, BigInt(Math.floor(now / 1000)));
  values.set(3, BigInt((now % 1000) * 1000));
  values.set(5, 0x50fa0000n + BigInt(mark));
  values.set(6, 0n);
  values.set(8, (hops << 56n) | 0xabcdef00n);
  values.set(9, (0xffffffffn << 32n) | 0x10000010n);
  values.set(10, 0x0123456789abcdefn);
  return { values, snapshot: { schema: 7, data: new Uint8Array(Buffer.from("from-source!")) } };
}

/** Where the trace option's own octets begin in a frame (RFC 8200, 4.3; RFC 9486). */
function traceAt(frame: Uint8Array): number {
  let at = ETHERNET + IPV6 + 2;
  const end = ETHERNET + IPV6 + 8 * (frame[ETHERNET + IPV6 + 1]! + 1);
  while (at < end) {
    if (frame[at] === IOAM_OPTION) return at + 4;
    at += frame[at] === 0 ? 1 : 2 + frame[at + 1]!;
  }
  throw new Error("a captured packet has no trace");
}

/** The nodes in a captured packet, along the path; the data of each of them by bit. */
export function nodesIn(frame: Uint8Array): NodeModel[] {
  const trace = traceAt(frame);
  const view = new DataView(frame.buffer, frame.byteOffset);
  const traceType = view.getUint32(trace + 4) >>> 8;
  const end = trace - 4 + 2 + frame[trace - 3]!;
  const nodes: NodeModel[] = [];
  for (let at = trace + 8 + 4 * (frame[trace + 3]! & 0x7f); at < end; ) {
    const values = new Map<number, bigint>();
    const fixed = at + 4 * nodeLengthOf(traceType);
    for (const bit of bitsOf(traceType)) {
      if (bit === SNAPSHOT_BIT) continue;
      const octets = TRACE_BITS[bit]![1];
      values.set(bit, octets === 8 ? view.getBigUint64(at) : BigInt(view.getUint32(at)));
      at += octets;
    }
    if (at !== fixed) throw new Error("node data of another length than NodeLen says");
    const node: NodeModel = { values };
    if (bitsOf(traceType).includes(SNAPSHOT_BIT)) {
      const octets = 4 * frame[at]!;
      const schema = view.getUint32(at) & 0xffffff;
      node.snapshot = { schema, data: frame.slice(at + 4, at + 4 + octets) };
      at += 4 + octets;
    }
    nodes.unshift(node);
  }
  return nodes;
}
