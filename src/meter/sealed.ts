// A generation that nothing writes any more: its flows for the exporter, and what became of them.

import type { Ledger } from "./counters.ts";
import { layoutOf } from "./layout.ts";
import { type Slice, SliceReader } from "./slice-reader.ts";
import type { Table } from "./table.ts";

/**
 * Read straight from the mapped table. Readers move positions of their own, and each finds the same
 * slices; `commit` moves the cursor in the map, from which another agent would go on.
 */
export class SealedGeneration {
  readonly generation: number;
  readonly buffer: ArrayBuffer;
  readonly layout: { size: number; fields: Record<string, { offset: number; size: number }> };
  readonly #table: Table;
  readonly #ledger: Ledger;
  readonly #count: number;

  constructor(table: Table, ledger: Ledger, generation: number) {
    this.#table = table;
    this.#ledger = ledger;
    this.generation = generation;
    this.buffer = table.buffer;
    this.layout = layoutOf("flow_record");
    this.#count = table.count(generation);
  }

  /** Records that were not committed yet. */
  get remaining(): number {
    return Math.max(0, this.#count - this.#table.cursor(this.generation));
  }

  /** Reads from the cursor on. Those in use at the same time have numbers of their own, below READERS. */
  reader(number = 0): SliceReader {
    return new SliceReader(this.#table, this.generation, number);
  }

  /**
   * The flows of a slice were handed to every collector; `dropped` of them (with their packets and
   * octets) could not be sent, and are counted so. Slices are committed in their order.
   */
  commit(
    { count, packets, octets, end }: Pick<Slice, "count" | "packets" | "octets" | "end">,
    dropped: { records: number; packets: number; octets: number } = NOTHING,
  ): void {
    const ledger = this.#ledger;
    ledger.add("exportedRecords", count - dropped.records);
    ledger.add("exportedPackets", packets - dropped.packets);
    ledger.add("exportedOctets", octets - dropped.octets);
    if (dropped.records > 0) {
      ledger.add("droppedRecords", dropped.records);
      ledger.add("droppedPackets", dropped.packets);
      ledger.add("droppedOctets", dropped.octets);
    }
    this.#table.setCursor(this.generation, end);
  }
}

const NOTHING = { records: 0, packets: 0, octets: 0 };
