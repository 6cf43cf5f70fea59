// One record of a flow out of the records that several CPUs wrote.

import { ELEMENT_SIZE } from "./abi.ts";
import type { RecordFields } from "./record.ts";
import type { Table } from "./table.ts";

const WORDS = ELEMENT_SIZE / 4;

/** Adds a 64-bit counter to another, with carry. */
function add(words: Uint32Array, to: number, source: Uint32Array, from: number): void {
  const low = words[to]! + source[from]!;
  words[to] = low;
  words[to + 1] = words[to + 1]! + source[from + 1]! + (low > 0xffffffff ? 1 : 0);
}

/** Replaces a 64-bit time by a later one, or with `sign` -1 by an earlier one. */
function extend(
  words: Uint32Array,
  to: number,
  source: Uint32Array,
  from: number,
  sign: 1 | -1,
): void {
  const difference =
    source[from + 1]! === words[to + 1]!
      ? source[from]! - words[to]!
      : source[from + 1]! - words[to + 1]!;
  if (difference * sign <= 0) return;
  words[to] = source[from]!;
  words[to + 1] = source[from + 1]!;
}

/** Room for a record: the same octets as words and as octets, and the word index where it begins. */
export interface RecordPlace {
  words: Uint32Array;
  octets: Uint8Array;
  at: number;
}

/**
 * Copies a home record to a place of its own and adds the other CPUs' records that it leads to.
 * The records themselves stay as they are, so that it can be done again after a crash.
 */
export function mergeRecords(
  table: Table,
  f: RecordFields,
  generation: number,
  home: number,
  place: RecordPlace,
): void {
  const source = table.words;
  const { words, octets, at: target } = place;
  words.set(source.subarray(home, home + WORDS), target);
  let number = source[home + f.next]!;
  for (let left = table.capacity; number !== 0 && left > 0; left--) {
    const from = table.record(generation, number);
    add(words, target + f.packets, source, from + f.packets);
    add(words, target + f.octets, source, from + f.octets);
    add(words, target + f.reordered, source, from + f.reordered);
    add(words, target + f.duplicates, source, from + f.duplicates);
    extend(words, target + f.first, source, from + f.first, -1);
    extend(words, target + f.last, source, from + f.last, 1);
    // Serial-number arithmetic (RFC 1982).
    const lowest = source[from + f.lowest]!;
    if (((lowest - words[target + f.lowest]!) | 0) < 0) words[target + f.lowest] = lowest;
    const late = source[from + f.lateHighest]!;
    if (((late - words[target + f.lateHighest]!) | 0) > 0) words[target + f.lateHighest] = late;
    const hops = table.octets.subarray(from * 4);
    const low = hops[f.minimumTtl]!;
    const high = hops[f.maximumTtl]!;
    if (low < octets[target * 4 + f.minimumTtl]!) octets[target * 4 + f.minimumTtl] = low;
    if (high > octets[target * 4 + f.maximumTtl]!) octets[target * 4 + f.maximumTtl] = high;
    number = source[from + f.next]!;
  }
}
