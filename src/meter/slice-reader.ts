// Reads the flows of a sealed generation, slice by slice.

import { flowKind } from "./flow-kind.ts";
import { mergeRecords } from "./merge.ts";
import { type RecordFields, readU64, recordFields, resolveSequence } from "./record.ts";
import { standsForFlow } from "./scan.ts";
import { READER_SCRATCH, type Table } from "./table.ts";

/** Flows ready to encode: records that lie in the sealed generation's buffer. */
export interface Slice {
  count: number;
  /** Of each record, its offset in the buffer in 32-bit words. */
  offsets: Uint32Array;
  /** Of each record, its `flowKind`. */
  kinds: Uint8Array;
  packets: number;
  octets: number;
  /** The last record that was looked at: the cursor behind this slice. */
  end: number;
}

/** A position in a sealed generation, and room to merge the records of several CPUs. */
export class SliceReader {
  readonly #table: Table;
  readonly #generation: number;
  readonly #scratch: number;
  readonly #fields: RecordFields = recordFields();
  readonly #end: number;
  #position: number;
  #slice: Slice;

  /** Begins at the generation's cursor. */
  constructor(table: Table, generation: number, number: number) {
    this.#table = table;
    this.#generation = generation;
    this.#scratch = number * READER_SCRATCH;
    this.#end = table.count(generation);
    this.#position = table.cursor(generation);
    this.#slice = {
      count: 0,
      offsets: new Uint32Array(0),
      kinds: new Uint8Array(0),
      packets: 0,
      octets: 0,
      end: this.#position,
    };
  }

  /**
   * The next flows, at most `max`, merged over CPUs, with loss and expected packets computed.
   * The slice is used again by the next call. `count` 0: that was all.
   */
  next(max: number): Slice {
    if (this.#slice.offsets.length < max) {
      this.#slice = { ...this.#slice, offsets: new Uint32Array(max), kinds: new Uint8Array(max) };
    }
    const slice = this.#slice;
    const { offsets, kinds } = slice;
    const generation = this.#generation;
    const table = this.#table;
    const { words, octets } = table;
    const f = this.#fields;
    const end = this.#end;
    const scratch = this.#scratch;
    let position = this.#position;
    let count = 0;
    let merged = 0;
    let sumPackets = 0;
    let sumOctets = 0;
    while (position < end && count < max && merged < READER_SCRATCH) {
      let record = table.record(generation, ++position);
      if (!standsForFlow(table, f, generation, record)) continue;
      if (words[record + f.next] !== 0) {
        const at = table.scratch(scratch + merged++);
        mergeRecords(table, f, generation, record, { words, octets, at });
        record = at;
      }
      resolveSequence(words, octets, record, f);
      offsets[count] = record;
      kinds[count++] = flowKind(octets[record * 4 + f.flags]!);
      sumPackets += readU64(words, record + f.packets);
      sumOctets += readU64(words, record + f.octets);
    }
    this.#position = position;
    slice.count = count;
    slice.packets = sumPackets;
    slice.octets = sumOctets;
    slice.end = position;
    return slice;
  }
}
