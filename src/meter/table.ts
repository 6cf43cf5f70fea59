// The mapped flow table: where headers, buckets and records of a generation lie, and what a header says.

import { ELEMENT_SIZE } from "./abi.ts";
import { offsetOf } from "./layout.ts";

const WORDS = ELEMENT_SIZE / 4;

/** How many may read a sealed generation at the same time, each at its own pace. */
export const READERS = 16;

/** Flows of a slice that may have records of several CPUs: their sums need a place. */
export const READER_SCRATCH = 512;

/** Elements behind both halves, where readers merge the records of several CPUs. */
export const SCRATCH_ELEMENTS: number = READERS * READER_SCRATCH;

/** Parts of an index of which one is cleared each time its half is made ready. */
const SWEEPS = 64;

/** Buckets for a capacity: a power of two, at 8 records in each of 32 entries when the log is full. */
export function bucketsFor(capacity: number): number {
  let buckets = 1;
  while (buckets * 8 < capacity) buckets *= 2;
  return buckets;
}

/** Elements of the table's map. */
export function elementsFor(capacity: number): number {
  return 2 * (1 + bucketsFor(capacity) + capacity) + SCRATCH_ELEMENTS;
}

/**
 * Generation g lives in half g & 1: a header, the buckets, then the records, numbered from 1.
 * All positions are indices of 32-bit words in `words`; numbers are little-endian, as the CPU's.
 */
export class Table {
  readonly words: Uint32Array;
  readonly octets: Uint8Array;
  readonly buffer: ArrayBuffer;
  readonly capacity: number;
  readonly buckets: number;
  readonly #generation: Uint32Array;
  readonly #count: number = offsetOf("table_header", "count") / 4;
  readonly #cursor: number = offsetOf("table_header", "cursor") / 4;
  readonly #held: number = offsetOf("table_header", "generation") / 4;
  readonly #start: number = offsetOf("table_header", "start") / 4;

  /** `state`: the mapped global that names the active generation. */
  constructor(buffer: ArrayBuffer, state: ArrayBuffer, capacity: number, buckets: number) {
    this.buffer = buffer;
    this.words = new Uint32Array(buffer);
    this.octets = new Uint8Array(buffer);
    this.#generation = new Uint32Array(state, 0, 1);
    this.capacity = capacity;
    this.buckets = buckets;
  }

  /** The active generation. */
  get generation(): number {
    return Atomics.load(this.#generation, 0);
  }

  /** Word index of the header of a generation's half. */
  header(generation: number): number {
    return (generation & 1) * (1 + this.buckets + this.capacity) * WORDS;
  }

  /** Word index of the first bucket; the others follow, and then the records. */
  bucket(generation: number): number {
    return this.header(generation) + WORDS;
  }

  /** Word index of record `number` (from 1). */
  record(generation: number, number: number): number {
    return this.header(generation) + (this.buckets + number) * WORDS;
  }

  /** Word index of an element behind both halves. */
  scratch(index: number): number {
    return (2 * (1 + this.buckets + this.capacity) + index) * WORDS;
  }

  /** Records taken in a generation; 0 when its half holds another one by now. */
  count(generation: number): number {
    const header = this.header(generation);
    if (this.words[header + this.#held] !== generation) return 0;
    return Math.min(Atomics.load(this.words, header + this.#count), this.capacity);
  }

  /** How many of the generation's records were exported. */
  cursor(generation: number): number {
    return Atomics.load(this.words, this.header(generation) + this.#cursor);
  }

  setCursor(generation: number, records: number): void {
    Atomics.store(this.words, this.header(generation) + this.#cursor, records);
  }

  /** Makes the half of `generation` ready: empty. Its index is cleared piece by piece. */
  prepare(generation: number, now: bigint): void {
    const header = this.header(generation);
    this.#sweep(generation);
    this.words[header + this.#start] = Number(now & 0xffffffffn);
    this.words[header + this.#start + 1] = Number(now >> 32n);
    this.words[header + this.#cursor] = 0;
    this.words[header + this.#count] = 0;
    Atomics.store(this.words, header + this.#held, generation);
  }

  /**
   * Clears a part of the half's index of all but the generation before it there, which packets
   * may still carry on from. An entry bears 8 bits of its generation: left there for 256 of them,
   * it would look like a new one. A bucket's turn comes every 128 generations.
   */
  #sweep(generation: number): void {
    const part = (generation >> 1) % SWEEPS;
    const first = Math.floor((part * this.buckets) / SWEEPS);
    const end = Math.floor(((part + 1) * this.buckets) / SWEEPS);
    const kept = (generation - 2) & 0xff;
    const index = this.bucket(generation);
    for (let at = index + first * WORDS; at < index + end * WORDS; at += 2) {
      if (this.words[at]! >>> 24 === kept) continue;
      this.words[at] = 0;
      this.words[at + 1] = 0;
    }
  }

  /** From now on packets are counted in `generation`. */
  activate(generation: number): void {
    Atomics.store(this.#generation, 0, generation);
  }
}
