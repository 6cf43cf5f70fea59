// Node data of IOAM traces, written from RFC 9197's table independently of the code under test.
import { big, concat } from "./octets.ts";

/** Name and octets of each bit of the trace type, the most significant first. */
export const TRACE_BITS: readonly (readonly [name: string, octets: number])[] = [
  ["hop limit and node id", 4],
  ["interfaces", 4],
  ["seconds", 4],
  ["fraction", 4],
  ["transit delay", 4],
  ["namespace data", 4],
  ["queue depth", 4],
  ["checksum complement", 4],
  ["hop limit and node id, wide", 8],
  ["interfaces, wide", 8],
  ["namespace data, wide", 8],
  ["buffer occupancy", 4],
  ...Array.from({ length: 10 }, (_, i) => [`undefined ${12 + i}`, 4] as const),
];
export const SNAPSHOT_BIT = 22;

/** A node's data: for each bit its octets as a number, and the opaque state snapshot. */
export interface NodeModel {
  /** By bit. */
  values: Map<number, bigint>;
  snapshot?: { schema: number; data: Uint8Array };
}

/** The trace type that asks for these bits. */
export function traceTypeOf(bits: Iterable<number>): number {
  let type = 0;
  for (const bit of bits) type += 2 ** (23 - bit);
  return type;
}

/** The bits of a trace type, but 23. */
export function bitsOf(traceType: number): number[] {
  return Array.from({ length: 23 }, (_, bit) => bit).filter(
    (bit) => Math.floor(traceType / 2 ** (23 - bit)) % 2 === 1,
  );
}

/** NodeLen: in units of 4 octets, the snapshot not counted. */
export function nodeLengthOf(traceType: number): number {
  return bitsOf(traceType).reduce((sum, bit) => sum + (TRACE_BITS[bit]?.[1] ?? 0) / 4, 0);
}

/** The octets of a field. */
export function fieldOctets(bit: number, value: bigint): Uint8Array {
  const octets = TRACE_BITS[bit]![1];
  const low = big(Number(value & 0xffffffffn), 4);
  return octets === 8 ? concat(big(Number(value >> 32n), 4), low) : low;
}

/** A node's data as it stands in a trace. */
export function nodeOctets(traceType: number, node: NodeModel): Uint8Array {
  const parts: ArrayLike<number>[] = [];
  for (const bit of bitsOf(traceType)) {
    if (bit === SNAPSHOT_BIT) continue;
    parts.push(fieldOctets(bit, node.values.get(bit)!));
  }
  if (bitsOf(traceType).includes(SNAPSHOT_BIT)) {
    const { schema, data } = node.snapshot ?? { schema: 0xffffff, data: new Uint8Array(0) };
    parts.push([data.length / 4], big(schema, 3), data);
  }
  return concat(...parts);
}

/** A value, or null when every bit of it is one. */
function available<T extends number | bigint>(value: T, bits: number): T | null {
  return BigInt(value) === (1n << BigInt(bits)) - 1n ? null : value;
}

const PLAIN: Readonly<Record<number, string>> = {
  2: "ioamTimestampSeconds",
  3: "ioamTimestampFraction",
  5: "ioamNamespaceData",
  6: "ioamQueueDepth",
  7: "ioamChecksumComplement",
  11: "ioamBufferOccupancy",
};

function decodedField(bit: number, value: bigint): Record<string, unknown> {
  const part = (shift: number, bits: number): number =>
    Number((value >> BigInt(shift)) & ((1n << BigInt(bits)) - 1n));
  const gone = value === (1n << BigInt(TRACE_BITS[bit]![1] * 8)) - 1n;
  switch (bit) {
    case 0: {
      const id = available(part(0, 24), 24);
      return { ioamNodeId: id, ioamHopLimit: gone ? null : part(24, 8) };
    }
    case 1:
      return {
        ioamIngressInterfaceId: available(part(16, 16), 16),
        ioamEgressInterfaceId: available(part(0, 16), 16),
      };
    case 4:
      return {
        ioamTransitDelayNanoseconds: gone ? null : part(0, 31),
        ...(!gone && part(31, 1) === 1 && { ioamTransitDelayOverflow: true }),
      };
    case 8:
      return {
        ioamNodeIdWide: available(value & ((1n << 56n) - 1n), 56),
        ioamHopLimitWide: gone ? null : part(56, 8),
      };
    case 9:
      return {
        ioamIngressInterfaceIdWide: available(part(32, 32), 32),
        ioamEgressInterfaceIdWide: available(part(0, 32), 32),
      };
    case 10:
      return { ioamNamespaceDataWide: available(value, 64) };
    default:
      return { [PLAIN[bit] ?? `bit ${bit}`]: available(part(0, 32), 32) };
  }
}

/** What a reader ought to find in that node's data. */
export function decodedNode(traceType: number, node: NodeModel): Record<string, unknown> {
  const decoded: Record<string, unknown> = {};
  const unnamed: Record<number, unknown> = {};
  for (const bit of bitsOf(traceType)) {
    if (bit === SNAPSHOT_BIT) {
      decoded.ioamSnapshotSchemaId = available(node.snapshot?.schema ?? 0xffffff, 24);
      decoded.ioamSnapshotData = node.snapshot?.data ?? new Uint8Array(0);
    } else if (bit >= 12) {
      unnamed[bit] = available(Number(node.values.get(bit)!), 32);
    } else {
      Object.assign(decoded, decodedField(bit, node.values.get(bit)!));
    }
  }
  return Object.keys(unnamed).length === 0 ? decoded : { ...decoded, ioamUndefined: unnamed };
}

/** A node with random data, some of it not available. */
export function randomNode(traceType: number, random: (below: number) => number): NodeModel {
  const node: NodeModel = { values: new Map() };
  for (const bit of bitsOf(traceType)) {
    if (bit === SNAPSHOT_BIT) {
      const data = Uint8Array.from({ length: 4 * random(4) }, () => random(256));
      node.snapshot = { schema: random(4) === 0 ? 0xffffff : random(0xffffff), data };
    } else {
      const bits = BigInt(TRACE_BITS[bit]![1] * 8);
      const any = (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
      node.values.set(bit, BigInt.asUintN(Number(bits), random(5) === 0 ? -1n : any));
    }
  }
  return node;
}
