// IOAM trace types: which data a node adds for each bit, and where it stands (RFC 9197, 4.4.1).

/** Octets of the node data that each bit stands for; bit 0 is the most significant of 24. */
const BIT_OCTETS: readonly number[] = [
  4, 4, 4, 4, 4, 4, 4, 4, 8, 8, 8, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 0,
];

/** Bits whose data has a meaning, by name. */
export const BIT = {
  nodeId: 0,
  interfaces: 1,
  timestampSeconds: 2,
  timestampFraction: 3,
  transitDelay: 4,
  namespaceData: 5,
  queueDepth: 6,
  checksumComplement: 7,
  nodeIdWide: 8,
  interfacesWide: 9,
  namespaceDataWide: 10,
  bufferOccupancy: 11,
  /** The first of those that RFC 9197 leaves undefined, each of 4 octets. */
  firstUndefined: 12,
  lastUndefined: 21,
  snapshot: 22,
} as const;

/** Octets of the opaque state snapshot's own header: length and schema id. */
export const SNAPSHOT_HEADER = 4;

/** Where the data of each bit is within a node's data. */
export interface TraceLayout {
  /** By bit: offset in octets; -1: this trace type does not have it. */
  readonly offsets: Int32Array;
  /** Octets, without the snapshot's (bit 22), which follows all the rest. */
  readonly octets: number;
  /** NodeLen of the trace header: the same in units of 4 octets. */
  readonly nodeLength: number;
  readonly hasSnapshot: boolean;
}

/** Whether `traceType` (24 bits) has that bit; 0 is the most significant. */
export function hasBit(traceType: number, bit: number): boolean {
  return ((traceType >>> (23 - bit)) & 1) === 1;
}

/** The trace type (24 bits) of one bit. */
export function bitMask(bit: number): number {
  return 1 << (23 - bit);
}

function computeLayout(traceType: number): TraceLayout {
  const offsets = new Int32Array(24).fill(-1);
  let octets = 0;
  for (let bit = 0; bit < BIT.snapshot; bit++) {
    if (!hasBit(traceType, bit)) continue;
    offsets[bit] = octets;
    octets += BIT_OCTETS[bit]!;
  }
  const hasSnapshot = hasBit(traceType, BIT.snapshot);
  if (hasSnapshot) offsets[BIT.snapshot] = octets;
  return { offsets, octets, nodeLength: octets / 4, hasSnapshot };
}

/** More trace types than any domain uses; packets of strangers must not fill the memory. */
const REMEMBERED = 1024;
const layouts: Map<number, TraceLayout> = new Map();

/** The layout of a trace type (24 bits). */
export function traceLayout(traceType: number): TraceLayout {
  let layout = layouts.get(traceType);
  if (layout === undefined) {
    layout = computeLayout(traceType);
    if (layouts.size === REMEMBERED) layouts.clear();
    layouts.set(traceType, layout);
  }
  return layout;
}

/** "0xf00000". */
export function traceTypeText(traceType: number): string {
  return `0x${traceType.toString(16).padStart(6, "0")}`;
}
