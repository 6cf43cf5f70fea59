// Trace data: the data of several nodes, one after another, newest first (RFC 9197, 4.4).

import { type NodeFields, SNAPSHOT_DATA, SNAPSHOT_LENGTH } from "./node-fields.ts";
import { BIT, SNAPSHOT_HEADER, type TraceLayout } from "./trace-type.ts";

/** More nodes than any trace option can hold: a node has 4 octets at least, an option 244. */
export const MAX_NODES = 64;

/**
 * Finds where the data of each node begins. Writes the offsets into `nodes`, newest node first, as in
 * the data, and returns how many there are; -1 when `length` octets from `offset` on are not the
 * data of whole nodes of that layout, or of more than `nodes` has room for.
 */
export function splitNodes(
  octets: Uint8Array,
  offset: number,
  length: number,
  layout: TraceLayout,
  nodes: Uint32Array,
): number {
  const end = offset + length;
  const fixed = layout.octets + (layout.hasSnapshot ? SNAPSHOT_HEADER : 0);
  let count = 0;
  for (let at = offset; at < end; count++) {
    if (fixed === 0 || count === nodes.length || end - at < fixed) return -1;
    nodes[count] = at;
    at += fixed;
    // The length of a snapshot is its first octet, in units of 4.
    if (layout.hasSnapshot) at += octets[at - SNAPSHOT_HEADER]! * 4;
    if (at > end) return -1;
  }
  return count;
}

/** Writes into `fields` where the fields of the node at `node` are. */
export function locateFields(
  octets: Uint8Array,
  node: number,
  layout: TraceLayout,
  fields: NodeFields,
): void {
  const { offsets } = layout;
  for (let bit = 0; bit <= BIT.snapshot; bit++) {
    const offset = offsets[bit]!;
    fields[bit] = offset < 0 ? -1 : node + offset;
  }
  fields[SNAPSHOT_DATA] = -1;
  fields[SNAPSHOT_LENGTH] = 0;
  if (!layout.hasSnapshot) return;
  const header = fields[BIT.snapshot]!;
  fields[SNAPSHOT_DATA] = header + SNAPSHOT_HEADER;
  fields[SNAPSHOT_LENGTH] = octets[header]! * 4;
}
