// What a node says of itself: its data fields by name (RFC 9197, 4.4.2).

import { type NodeFields, SNAPSHOT_DATA, SNAPSHOT_LENGTH } from "./node-fields.ts";
import { BIT } from "./trace-type.ts";

/**
 * The data of one node. Absent: the trace type does not ask for it. null: the node did not have it
 * (all ones). Names are those of the information elements where there is one.
 */
export interface NodeData {
  ioamHopLimit?: number | null;
  ioamNodeId?: number | null;
  ioamIngressInterfaceId?: number | null;
  ioamEgressInterfaceId?: number | null;
  ioamTimestampSeconds?: number | null;
  ioamTimestampFraction?: number | null;
  ioamTransitDelayNanoseconds?: number | null;
  /** The delay was more than 31 bits can say. */
  ioamTransitDelayOverflow?: true;
  ioamNamespaceData?: number | null;
  /** In octets, as Linux counts it. */
  ioamQueueDepth?: number | null;
  ioamChecksumComplement?: number | null;
  /** Hop limit and node id of bit 8. */
  ioamHopLimitWide?: number | null;
  ioamNodeIdWide?: bigint | null;
  ioamIngressInterfaceIdWide?: number | null;
  ioamEgressInterfaceIdWide?: number | null;
  ioamNamespaceDataWide?: bigint | null;
  ioamBufferOccupancy?: number | null;
  /** Bits 12 to 21, which RFC 9197 leaves undefined, by bit. */
  ioamUndefined?: Record<number, number | null>;
  ioamSnapshotSchemaId?: number | null;
  /** Empty when the node has no schema. */
  ioamSnapshotData?: Uint8Array;
}

const ONES_16 = 0xffff;
const ONES_24 = 0xffffff;
const ONES_32 = 0xffffffff;
const ONES_56: bigint = (1n << 56n) - 1n;
const ONES_64: bigint = (1n << 64n) - 1n;
const DELAY_OVERFLOW = 0x80000000;

/** Of a field that is all ones when it is not available. */
function unless<T>(value: T, ones: T): T | null {
  return value === ones ? null : value;
}

/** A hop limit is not available when its whole field is not: 255 alone is a hop limit. */
function hopLimit(octet: number, nodeKnown: boolean): number | null {
  return octet === 0xff && !nodeKnown ? null : octet;
}

function readNarrow(view: DataView, fields: NodeFields, node: NodeData): void {
  const id = fields[BIT.nodeId]!;
  if (id >= 0) {
    node.ioamNodeId = unless(view.getUint32(id) & ONES_24, ONES_24);
    node.ioamHopLimit = hopLimit(view.getUint8(id), node.ioamNodeId !== null);
  }
  const interfaces = fields[BIT.interfaces]!;
  if (interfaces >= 0) {
    node.ioamIngressInterfaceId = unless(view.getUint16(interfaces), ONES_16);
    node.ioamEgressInterfaceId = unless(view.getUint16(interfaces + 2), ONES_16);
  }
  const delay = fields[BIT.transitDelay]!;
  if (delay >= 0) {
    const value = unless(view.getUint32(delay), ONES_32);
    node.ioamTransitDelayNanoseconds = value === null ? null : value & ~DELAY_OVERFLOW;
    if (value !== null && value >= DELAY_OVERFLOW) node.ioamTransitDelayOverflow = true;
  }
}

const PLAIN = [
  [BIT.timestampSeconds, "ioamTimestampSeconds"],
  [BIT.timestampFraction, "ioamTimestampFraction"],
  [BIT.namespaceData, "ioamNamespaceData"],
  [BIT.queueDepth, "ioamQueueDepth"],
  [BIT.checksumComplement, "ioamChecksumComplement"],
  [BIT.bufferOccupancy, "ioamBufferOccupancy"],
] as const;

/** Fields that are one integer of 4 octets. */
function readPlain(view: DataView, fields: NodeFields, node: NodeData): void {
  for (const [bit, name] of PLAIN) {
    const at = fields[bit]!;
    if (at >= 0) node[name] = unless(view.getUint32(at), ONES_32);
  }
  for (let bit: number = BIT.firstUndefined; bit <= BIT.lastUndefined; bit++) {
    const at = fields[bit]!;
    if (at < 0) continue;
    node.ioamUndefined ??= {};
    node.ioamUndefined[bit] = unless(view.getUint32(at), ONES_32);
  }
}

function readWide(view: DataView, fields: NodeFields, node: NodeData): void {
  const id = fields[BIT.nodeIdWide]!;
  if (id >= 0) {
    node.ioamNodeIdWide = unless(view.getBigUint64(id) & ONES_56, ONES_56);
    node.ioamHopLimitWide = hopLimit(view.getUint8(id), node.ioamNodeIdWide !== null);
  }
  const interfaces = fields[BIT.interfacesWide]!;
  if (interfaces >= 0) {
    node.ioamIngressInterfaceIdWide = unless(view.getUint32(interfaces), ONES_32);
    node.ioamEgressInterfaceIdWide = unless(view.getUint32(interfaces + 4), ONES_32);
  }
  const data = fields[BIT.namespaceDataWide]!;
  if (data >= 0) node.ioamNamespaceDataWide = unless(view.getBigUint64(data), ONES_64);
}

function readSnapshot(view: DataView, fields: NodeFields, node: NodeData): void {
  const header = fields[BIT.snapshot]!;
  if (header >= 0) node.ioamSnapshotSchemaId = unless(view.getUint32(header) & ONES_24, ONES_24);
  const data = fields[SNAPSHOT_DATA]!;
  if (data < 0) return;
  const from = view.byteOffset + data;
  node.ioamSnapshotData = new Uint8Array(view.buffer.slice(from, from + fields[SNAPSHOT_LENGTH]!));
}

/** Reads the fields of a node out of `view`, into which `fields` has the offsets. Big-endian. */
export function readNode(view: DataView, fields: NodeFields): NodeData {
  const node: NodeData = {};
  readNarrow(view, fields, node);
  readPlain(view, fields, node);
  readWide(view, fields, node);
  readSnapshot(view, fields, node);
  return node;
}
