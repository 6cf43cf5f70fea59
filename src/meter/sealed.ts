// A generation that nothing writes any more: its flows, slice by slice, for the exporter.

import type { Ledger } from "./counters.ts";
import { flowKind } from "./flow-kind.ts";
import { layoutOf } from "./layout.ts";
import { mergeRecords } from "./merge.ts";
import { type RecordFields, readU64, recordFields, resolveSequence } from "./record.ts";
import { standsForFlow } from "./scan.ts";
import { SCRATCH_ELEMENTS, type Table } from "./table.ts";

/** Flows ready to encode: records that lie in the sealed generation's buffer. */
export interface Slice {
  count: number;
  /** Of each record, its offset in the buffer in 32-bit words. */
  offsets: Uint32Array;
  /** Of each record, its `flowKind`. */
  kinds: Uint8Array;
  packets: number;
  octets: number;
}

/**
 * Reads straight from the mapped table. `next` only moves a position of its own; `commit` moves the
 * cursor in the map, from which another agent would go on.
 */
export class SealedGeneration {
  readonly generation: number;
  readonly buffer: ArrayBuffer;
  readonly layout: { size: number; fields: Record<string, { offset: number; size: number }> };
  readonly #table: Table;
  readonly #ledger: Ledger;
  readonly #fields: RecordFields;
  readonly #count: number;
  #position: number;
  #slice: Slice;

  constructor(table: Table, ledger: Ledger, generation: number) {
    this.#table = table;
    this.#ledger = ledger;
    this.generation = generation;
    this.buffer = table.buffer;
    this.layout = layoutOf("flow_record");
    this.#fields = recordFields();
    this.#count = table.count(generation);
    this.#position = table.cursor(generation);
    this.#slice = {
      count: 0,
      offsets: new Uint32Array(0),
      kinds: new Uint8Array(0),
      packets: 0,
      octets: 0,
    };
  }

  /** Records that were not committed yet. */
  get remaining(): number {
    return Math.max(0, this.#count - this.#table.cursor(this.generation));
  }

  /**
   * The next flows, at most `max`, merged over CPUs, with loss and expected packets computed.
   * The arrays are used again by the next call. `count` 0: that was all.
   */
  next(max: number): Slice {
    if (this.#slice.offsets.length < max) {
      this.#slice = { ...this.#slice, offsets: new Uint32Array(max), kinds: new Uint8Array(max) };
    }
    const slice = this.#slice;
    const { offsets, kinds } = slice;
    const { generation } = this;
    const table = this.#table;
    const { words, octets } = table;
    const f = this.#fields;
    const end = this.#count;
    let position = this.#position;
    let count = 0;
    let merged = 0;
    let sumPackets = 0;
    let sumOctets = 0;
    while (position < end && count < max && merged < SCRATCH_ELEMENTS) {
      let record = table.record(generation, ++position);
      if (!standsForFlow(table, f, generation, record)) continue;
      if (words[record + f.next] !== 0) {
        const at = table.scratch(merged++);
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
    return slice;
  }

  /**
   * The flows of the last `next` were handed to every collector; `dropped` of them (with their
   * packets and octets) could not be sent, and are counted so.
   */
  commit(dropped: { records: number; packets: number; octets: number } = NOTHING): void {
    const slice = this.#slice;
    const ledger = this.#ledger;
    ledger.add("exportedRecords", slice.count - dropped.records);
    ledger.add("exportedPackets", slice.packets - dropped.packets);
    ledger.add("exportedOctets", slice.octets - dropped.octets);
    if (dropped.records > 0) {
      ledger.add("droppedRecords", dropped.records);
      ledger.add("droppedPackets", dropped.packets);
      ledger.add("droppedOctets", dropped.octets);
    }
    this.#table.setCursor(this.generation, this.#position);
  }
}

const NOTHING = { records: 0, packets: 0, octets: 0 };
