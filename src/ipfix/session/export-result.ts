// What became of the records of one call of an exporting process.
import type { IoamctlError } from "../../errors.ts";

/** What became of the records of one call. */
export interface ExportResult {
  /** How many records were taken. */
  sent: number;
  /** Those that were not, as places in `offsets` or among the records given. */
  dropped: Uint32Array;
  /** Why, when there are any. */
  error: IoamctlError | undefined;
}

/** Collects what is dropped. */
export class Tally {
  readonly #count: number;
  readonly #dropped: Uint32Array[] = [];
  #error: IoamctlError | undefined;

  /** Of that many records. */
  constructor(count: number) {
    this.#count = count;
  }

  drop(places: Uint32Array, error: IoamctlError | undefined): void {
    this.#dropped.push(places);
    this.#error = error ?? this.#error;
  }

  result(): ExportResult {
    const dropped = new Uint32Array(this.#dropped.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of this.#dropped) {
      dropped.set(part, at);
      at += part.length;
    }
    return { sent: this.#count - dropped.length, dropped, error: this.#error };
  }
}

/** The places from one up to another, without that. */
export function range(from: number, to: number): Uint32Array {
  return Uint32Array.from({ length: to - from }, (_, i) => from + i);
}
