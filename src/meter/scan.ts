// Walks a generation's records: which of them stand for a flow.

import { ENTRY_CLOSED, LINK_HOME } from "./abi.ts";
import { type RecordFields, readU64 } from "./record.ts";
import type { Table } from "./table.ts";

const RECORD_MASK = ENTRY_CLOSED - 1;

/**
 * Does this record stand for a flow: valid, not flushed, with packets, and not merged into another
 * CPU's? A record whose home was flushed without it stands for itself.
 */
export function standsForFlow(
  table: Table,
  f: RecordFields,
  generation: number,
  record: number,
): boolean {
  const { words, octets } = table;
  if (words[record + f.stamp] !== generation || octets[record * 4 + f.taken] !== 0) return false;
  const link = words[record + f.link]!;
  if ((link & LINK_HOME) === 0) {
    const home = table.record(generation, link & RECORD_MASK);
    return octets[home * 4 + f.taken] !== 0;
  }
  return words[record + f.next] !== 0 || readU64(words, record + f.packets) > 0;
}
