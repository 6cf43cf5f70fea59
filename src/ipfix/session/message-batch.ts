// Messages of one template on their way: records are encoded straight into them.
import type { BoundEncoder, EncodeRecord, Encoder } from "../encoder/compile-encoder.ts";
import { OVERHEAD, stampMessage, writeHeaders, writeLengths } from "./message-header.ts";
import type { RecordBatch, Records } from "./record-batch.ts";

/** Octets of the buffer: what one UDP_SEGMENT call takes over IPv4. */
export const BATCH_OCTETS = 65507;

/** Datagrams that one UDP_SEGMENT call takes, before Linux 6.9. */
const BATCH_MESSAGES = 64;

/**
 * A buffer of messages of the same length, so that one system call sends them all. Records fill one
 * message after another; the last of a batch may stay shorter.
 */
export class MessageBatch implements RecordBatch {
  readonly bytes: Uint8Array = new Uint8Array(BATCH_OCTETS);
  readonly isAnnouncement = false;
  readonly setContext: BoundEncoder["setContext"];
  records = 0;
  readonly #encoder: Encoder;
  observationDomainId = 0;
  readonly #view: DataView;
  readonly #encode: EncodeRecord;
  readonly #recordLength: number;
  /** The caller's number of each record in the batch. */
  #numbers = new Uint32Array(0);
  #messageLength = 0;
  #recordsPerMessage = 0;
  #position = OVERHEAD;
  #room = 0;

  constructor(encoder: Encoder) {
    this.#encoder = encoder;
    this.#recordLength = encoder.template.recordLength;
    this.#view = new DataView(this.bytes.buffer);
    const bound = encoder.bind(this.#view);
    this.#encode = bound.encode;
    this.setContext = bound.setContext;
  }

  get messageLength(): number {
    return this.#messageLength;
  }

  /** Octets of the messages up to the last record. */
  get octets(): number {
    const messages = Math.floor(this.records / this.#recordsPerMessage);
    const rest = this.records % this.#recordsPerMessage;
    const last = rest === 0 ? 0 : OVERHEAD + rest * this.#recordLength;
    return messages * this.#messageLength + last;
  }

  layOut(maxLength: number, maxMessages: (messageLength: number) => number): void {
    const perMessage = Math.max(1, Math.floor((maxLength - OVERHEAD) / this.#recordLength));
    const length = OVERHEAD + perMessage * this.#recordLength;
    const fitting = Math.floor(BATCH_OCTETS / length);
    const messages = Math.min(BATCH_MESSAGES, fitting, maxMessages(length));
    this.#messageLength = length;
    this.#recordsPerMessage = perMessage;
    this.#numbers = new Uint32Array(messages * perMessage);
    for (let at = 0; at < messages * length; at += length) {
      writeHeaders(this.#view, at, length, this.#encoder.template.id);
    }
    this.clear();
  }

  fill(words: Int32Array, { offsets, count, kinds }: Records, from: number): number {
    const kind = kinds[from];
    const encode = this.#encode;
    const numbers = this.#numbers;
    const length = this.#recordLength;
    const end = Math.min(count, from + numbers.length - this.records);
    let { records } = this;
    let position = this.#position;
    let room = this.#room;
    let i = from;
    for (; i < end && kinds[i] === kind; i++) {
      encode(words, offsets[i]!, position);
      numbers[records++] = i;
      position += length;
      if (--room === 0) {
        room = this.#recordsPerMessage;
        position += OVERHEAD;
      }
    }
    this.records = records;
    this.#position = position;
    this.#room = room;
    return i;
  }

  recordsBefore(octet: number): number {
    const messages = Math.floor(octet / this.#messageLength);
    const rest = octet % this.#messageLength;
    const last = rest === 0 ? 0 : (rest - OVERHEAD) / this.#recordLength;
    return messages * this.#recordsPerMessage + last;
  }

  stamp(from: number, seconds: number, sequence: number): void {
    const { octets, observationDomainId } = this;
    const length = this.#messageLength;
    for (let at = from; at < octets; at += length) {
      stampMessage(this.#view, at, seconds, sequence, observationDomainId);
      sequence += this.#recordsPerMessage;
      if (octets - at < length) writeLengths(this.#view, at, octets - at);
    }
  }

  numbersFrom(octet: number): Uint32Array {
    return this.#numbers.slice(this.recordsBefore(octet), this.records);
  }

  clear(): void {
    const { octets } = this;
    const rest = octets % this.#messageLength;
    // The headers stay as they are, but for the length of a message that was not full.
    if (rest !== 0) writeLengths(this.#view, octets - rest, this.#messageLength);
    this.records = 0;
    this.#position = OVERHEAD;
    this.#room = this.#recordsPerMessage;
  }
}
