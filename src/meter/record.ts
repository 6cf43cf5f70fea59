// Reads a flow record of the mapped table: word indices of its fields, and what is derived from them.

import { DEX_SEQUENCE_NUMBER, SEQUENCE_BASE, SEQUENCE_CARRIED } from "./abi.ts";
import { offsetOf } from "./layout.ts";

const field = (name: string): number => offsetOf("flow_record", name);

/** Word indices (octet indices where named so) of a record's fields, from its start. */
export class RecordFields {
  readonly stamp: number = field("stamp") / 4;
  readonly link: number = field("link") / 4;
  readonly next: number = field("next") / 4;
  readonly window: number = field("window") / 4;
  readonly packets: number = field("packets") / 4;
  readonly octets: number = field("octets") / 4;
  readonly first: number = field("first") / 4;
  readonly last: number = field("last") / 4;
  readonly lowest: number = field("lowest") / 4;
  readonly lateHighest: number = field("late_highest") / 4;
  readonly reordered: number = field("reordered") / 4;
  readonly duplicates: number = field("duplicates") / 4;
  readonly expectedBefore: number = field("expected_before") / 4;
  readonly base: number = field("base") / 4;
  readonly carriedHighest: number = field("carried_highest") / 4;
  readonly sequenceHighest: number = field("sequence_highest") / 4;
  readonly expected: number = field("expected") / 4;
  readonly lost: number = field("lost") / 4;
  readonly minimumTtl: number = field("minimum_ttl");
  readonly maximumTtl: number = field("maximum_ttl");
  readonly taken: number = field("taken");
  readonly sequenceFlags: number = field("sequence_flags");
  readonly extensionFlags: number = field("key.extension_flags");
  readonly flags: number = field("key.flags");
}

let fields: RecordFields | undefined;

/** The fields, read from BTF at the first call. */
export function recordFields(): RecordFields {
  fields ??= new RecordFields();
  return fields;
}

/** An unsigned 64-bit number as a double: exact below 2^53. */
export function readU64(words: Uint32Array, at: number): number {
  return words[at]! + words[at + 1]! * 4294967296;
}

/** Writes an integer below 2^53 in magnitude as 64 bits, two's complement. */
export function writeI64(words: Uint32Array, at: number, value: number): void {
  const low = value | 0;
  if (low === value) {
    words[at] = low;
    words[at + 1] = low >> 31;
  } else {
    words[at] = value;
    words[at + 1] = Math.floor(value / 4294967296);
  }
}

/**
 * The serially highest number of a window (bpf/records.h: four words), or -1 when it is empty. This
 * runs for every flow that is exported: hence no loop, and the words' upper halves as signed numbers,
 * whose sign is WINDOW_VALID.
 */
export function windowHighest(words: Uint32Array, window: number): number {
  const [second, third, fourth] = [window + 2, window + 4, window + 6];
  let at = window;
  if (isNewer(words[second + 1]! | 0, words[at + 1]! | 0)) at = second;
  if (isNewer(words[third + 1]! | 0, words[at + 1]! | 0)) at = third;
  if (isNewer(words[fourth + 1]! | 0, words[at + 1]! | 0)) at = fourth;
  const upper = words[at + 1]! | 0;
  return upper >= 0 ? -1 : ((upper << 5) | (31 - Math.clz32(words[at]!))) >>> 0;
}

/** Of two upper halves: is `a` valid, and `b` not or of lower numbers? */
function isNewer(a: number, b: number): boolean {
  return a < 0 && (b >= 0 || (a - b) << 5 > 0);
}

/** Has the record's flow sequence numbers? */
export function hasSequence(octets: Uint8Array, record: number, f: RecordFields): boolean {
  return (octets[record * 4 + f.extensionFlags]! & DEX_SEQUENCE_NUMBER) !== 0;
}

/**
 * Sets expected, lost and the highest number of a home record (or of its copy), whose counters
 * hold the sums over the CPUs. A function of other fields alone: doing it again changes nothing.
 * docs/sequence.md has the definitions.
 */
export function resolveSequence(
  words: Uint32Array,
  octets: Uint8Array,
  record: number,
  f: RecordFields,
): void {
  if (!hasSequence(octets, record, f)) return;
  const flags = octets[record * 4 + f.sequenceFlags]!;
  const base =
    (flags & SEQUENCE_BASE) !== 0
      ? words[record + f.base]! | 0
      : (words[record + f.lowest]! - 1) | 0;
  let highest: number;
  if ((flags & SEQUENCE_CARRIED) !== 0) highest = words[record + f.carriedHighest]!;
  else highest = windowHighest(words, record + f.window);
  const moved = highest < 0 ? 0 : (highest - base) >>> 0;
  const expected = readU64(words, record + f.expectedBefore) + moved;
  const received = readU64(words, record + f.packets) - readU64(words, record + f.duplicates);
  words[record + f.sequenceHighest] = moved > 0 ? highest : words[record + f.lateHighest]!;
  writeI64(words, record + f.expected, expected);
  writeI64(words, record + f.lost, expected - received);
}
