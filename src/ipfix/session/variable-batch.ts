// A message of records whose last field varies in length (RFC 7011 section 7).
import type { BoundEncoder, EncodeRecord, Encoder } from "../encoder/compile-encoder.ts";
import type { Tail } from "../encoder/source-compiler.ts";
import { BATCH_OCTETS } from "./message-batch.ts";
import { OVERHEAD, stampMessage, writeHeaders } from "./message-header.ts";
import type { RecordBatch, Records } from "./record-batch.ts";

/** Lengths from here on take three octets. */
const LONG = 255;

/** What the longest message has room for, beside the octets of the length. */
const LONGEST = BATCH_OCTETS - OVERHEAD - 3;

/** One message: those that go out together would have to be of one length. */
export class VariableBatch implements RecordBatch {
  readonly bytes: Uint8Array = new Uint8Array(BATCH_OCTETS);
  readonly isAnnouncement = false;
  readonly setContext: BoundEncoder["setContext"];
  records = 0;
  readonly #encode: EncodeRecord;
  readonly #view: DataView;
  readonly #tail: Tail;
  readonly #fixedLength: number;
  readonly #template: number;
  observationDomainId = 0;
  #limit = BATCH_OCTETS;
  #position = OVERHEAD;
  #numbers: number[] = [];
  #words: Int32Array | undefined;
  #source: Uint8Array = new Uint8Array(0);

  constructor(encoder: Encoder, tail: Tail) {
    this.#view = new DataView(this.bytes.buffer);
    const bound = encoder.bind(this.#view);
    this.#encode = bound.encode;
    this.setContext = bound.setContext;
    this.#tail = tail;
    // The octet of the length does not belong to what is encoded.
    this.#fixedLength = encoder.template.recordLength - 1;
    this.#template = encoder.template.id;
  }

  get octets(): number {
    return this.records === 0 ? 0 : this.#position;
  }

  get messageLength(): number {
    return this.#position;
  }

  layOut(maxLength: number): void {
    this.#limit = maxLength;
    this.clear();
  }

  fill(words: Int32Array, { offsets, count, kinds }: Records, from: number): number {
    if (words !== this.#words) {
      this.#words = words;
      this.#source = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    }
    const kind = kinds[from];
    let i = from;
    while (i < count && kinds[i] === kind && this.#add(words, offsets[i]!, i)) i++;
    return i;
  }

  recordsBefore(octet: number): number {
    return octet === 0 ? 0 : this.records;
  }

  stamp(_from: number, seconds: number, sequence: number): void {
    writeHeaders(this.#view, 0, this.#position, this.#template);
    stampMessage(this.#view, 0, seconds, sequence, this.observationDomainId);
  }

  numbersFrom(octet: number): Uint32Array {
    return Uint32Array.from(octet === 0 ? this.#numbers : []);
  }

  clear(): void {
    this.records = 0;
    this.#position = OVERHEAD;
    this.#numbers = [];
    this.#words = undefined;
  }

  // False: there is no room for it.
  #add(words: Int32Array, at: number, number: number): boolean {
    const record = 4 * at;
    const length = Math.min(this.#lengthOf(record), LONGEST - this.#fixedLength);
    const needed = this.#fixedLength + (length < LONG ? 1 : 3) + length;
    // A record longer than a packet goes alone: the path refuses it.
    if (this.#position + needed > this.#limit && this.records > 0) return false;
    this.#encode(words, at, this.#position);
    this.#copyTail(record + this.#tail.offset, length, this.#position + this.#fixedLength);
    this.#position += needed;
    this.#numbers.push(number);
    this.records++;
    return true;
  }

  #lengthOf(record: number): number {
    const { offset, size } = this.#tail.length;
    const low = this.#source[record + offset]!;
    return size === 1 ? low : low | (this.#source[record + offset + 1]! << 8);
  }

  #copyTail(from: number, length: number, to: number): void {
    const { bytes } = this;
    let at = to;
    if (length < LONG) {
      bytes[at++] = length;
    } else {
      bytes[at++] = LONG;
      bytes[at++] = length >>> 8;
      bytes[at++] = length & 0xff;
    }
    for (let i = 0; i < length; i++) bytes[at + i] = this.#source[from + i]!;
  }
}
