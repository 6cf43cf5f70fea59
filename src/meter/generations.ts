// The table's two generations: which one packets are counted in, sealing it, and what both hold.

import { IoamctlError } from "../errors.ts";
import type { BpfMap } from "../native/bpf-loader/index.ts";
import { addContents, type Contents } from "./contents.ts";
import type { Ledger } from "./counters.ts";
import { SealedGeneration } from "./sealed.ts";
import type { Table } from "./table.ts";

/** The maps whose update waits for a grace period, and what to put there. */
export interface GraceMaps {
  grace: BpfMap;
  graceInner: BpfMap;
}

/** One meter's generations. Calls that begin a new one need the meter's lock (locks.ts). */
export class Generations {
  readonly #table: Table;
  readonly #ledger: Ledger;
  readonly #maps: GraceMaps;

  constructor(table: Table, ledger: Ledger, maps: GraceMaps) {
    this.#table = table;
    this.#ledger = ledger;
    this.#maps = maps;
  }

  /** What is in the table: neither exported nor flushed. */
  contents(): Contents {
    const active = this.#table.generation;
    const contents = this.#unexported(active - 1);
    addContents(contents, this.#table, active, 0);
    return contents;
  }

  /** The one that was sealed and not wholly exported, once nothing writes it any more. */
  async pending(): Promise<SealedGeneration | undefined> {
    const generation = this.#table.generation - 1;
    if (this.#table.cursor(generation) >= this.#table.count(generation)) return undefined;
    await this.grace();
    return new SealedGeneration(this.#table, this.#ledger, generation);
  }

  /** Begins a new generation; the one before is sealed when this resolves. Throws PENDING. */
  async seal(): Promise<SealedGeneration> {
    const table = this.#table;
    const active = table.generation;
    if (this.#unexported(active - 1).flows > 0) {
      throw new IoamctlError(
        "PENDING",
        "the generation before is not exported yet: finish it first",
      );
    }
    table.prepare(active + 1, process.hrtime.bigint());
    table.activate(active + 1);
    await this.grace();
    return new SealedGeneration(table, this.#ledger, active);
  }

  /** Waits until every program that began before has ended (a grace period of the kernel). */
  async grace(): Promise<void> {
    const value = new Uint8Array(4);
    new DataView(value.buffer).setUint32(0, this.#maps.graceInner.fd, true);
    await this.#maps.grace.updateAsync(new Uint8Array(4), value);
  }

  #unexported(generation: number): Contents {
    const contents: Contents = { flows: 0, packets: 0n, octets: 0n };
    addContents(contents, this.#table, generation, this.#table.cursor(generation));
    return contents;
  }
}
