// Where the data fields of one node are: offsets into octets that somebody else holds.

/** Index of the offset of the snapshot's data, after those of the 23 bits. */
export const SNAPSHOT_DATA = 23;
/** Index of the length of the snapshot's data, in octets. */
export const SNAPSHOT_LENGTH = 24;
const SIZE = 25;

/**
 * By bit of the trace type the offset of its field in octets, -1 where there is none; for bit 22 of
 * the 4 octets whose last 3 are the schema id. At `SNAPSHOT_DATA` and `SNAPSHOT_LENGTH` the data of
 * the opaque state snapshot.
 */
export type NodeFields = Int32Array;

/** Fields of no node yet. */
export function nodeFields(): NodeFields {
  const fields = new Int32Array(SIZE).fill(-1);
  fields[SNAPSHOT_LENGTH] = 0;
  return fields;
}
