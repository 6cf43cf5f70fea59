// The kernel's IOAM events as records that the encoder reads: one a hop, and one a path delay.
import {
  BIT,
  bitMask,
  type NodeFields,
  nodeFields,
  pathDelayMicroseconds,
  SNAPSHOT_DATA,
  SNAPSHOT_LENGTH,
  type TimestampFormats,
  timestampFormat,
} from "../../ioam/index.ts";
import type { IoamEvent } from "../../netlink/index.ts";
import { DATA_WORD, LONG_WORDS, SHORT_WORDS, TRACE_KIND, WORD } from "./record-layout.ts";

/** Records that are exported at once at the latest. */
const RECORDS = 4096;

/** More than any event makes: 64 hops, a path delay, and the snapshots of a message of 8 KiB. */
const EVENT_RECORDS = 65;
const EVENT_WORDS = EVENT_RECORDS * LONG_WORDS + 2048;

const WORDS = 2 * RECORDS * SHORT_WORDS;

/** Bits whose data a short record has no room for. */
const LONG_BITS = bitMask(BIT.firstUndefined) * 2 - bitMask(BIT.snapshot);

/** Bits up to this have a word of their own in every record; 8 to 10 have two. */
const LAST_SHORT_BIT = BIT.bufferOccupancy;

const FLOW_ID = 0x80;
const SEQUENCE_NUMBER = 0x40;

/** Numbers traces, also those of several network namespaces and of earlier agents, each anew. */
export class TraceIds {
  /** Unix seconds when it was made. */
  high: number = Math.floor(Date.now() / 1000);
  low = 0;

  next(): void {
    this.low = (this.low + 1) >>> 0;
    if (this.low === 0) this.high = (this.high + 1) >>> 0;
  }
}

/** What was made of the events so far, and what was not. */
export interface TraceCounts {
  /** Records made: one a hop, one a path delay. */
  traceRecords: number;
  /** Events without any node's data, of which no record is made. */
  traceEmpty: number;
  /** Traces whose last timestamp is before the first, of which no path delay is exported. */
  pathDelayNegative: number;
}

/** All at 0. */
export function newTraceCounts(): TraceCounts {
  return { traceRecords: 0, traceEmpty: 0, pathDelayNegative: 0 };
}

/** A buffer of records, filled and emptied again and again. */
export class TraceRecords {
  readonly buffer: ArrayBuffer = new ArrayBuffer(4 * WORDS);
  /** Of each record: its first 32-bit word. */
  readonly offsets: Uint32Array = new Uint32Array(RECORDS);
  /** Of each record: one of TRACE_KIND. */
  readonly kinds: Uint8Array = new Uint8Array(RECORDS);
  readonly counts: TraceCounts;
  count = 0;
  readonly #words: Int32Array = new Int32Array(this.buffer);
  readonly #octets: Uint8Array = new Uint8Array(this.buffer);
  readonly #fields: NodeFields = nodeFields();
  readonly #formats: TimestampFormats;
  readonly #ids: TraceIds;
  #end = 0;
  #timeLow = 0;
  #timeHigh = 0;

  /** `counts`: several buffers may have theirs in common. */
  constructor(formats: TimestampFormats, ids: TraceIds, counts: TraceCounts = newTraceCounts()) {
    this.counts = counts;
    this.#formats = formats;
    this.#ids = ids;
  }

  /** Whether an event might find no room. */
  get full(): boolean {
    return this.count > RECORDS - EVENT_RECORDS || this.#end > WORDS - EVENT_WORDS;
  }

  clear(): void {
    this.count = 0;
    this.#end = 0;
  }

  /** Sets the observation time of the events to come, Unix milliseconds. */
  setTime(milliseconds: number): void {
    this.#timeLow = milliseconds | 0;
    this.#timeHigh = Math.floor(milliseconds / 2 ** 32);
  }

  /** Makes the records of an event; there has to be room. */
  add(event: IoamEvent): void {
    const { hops } = event;
    if (hops === 0) {
      this.counts.traceEmpty++;
      return;
    }
    this.#ids.next();
    const long = (event.traceType & LONG_BITS) !== 0;
    const kind = event.kind === "dex" ? TRACE_KIND.dex : TRACE_KIND.hop;
    let first = 0;
    for (let hop = 0; hop < hops; hop++) {
      const at = this.#begin(event, hop, long ? kind + 1 : kind);
      if (hop === 0) first = at;
      event.locate(hop, this.#fields);
      if (kind === TRACE_KIND.dex) this.#setDex(event, at);
      this.#copyData(event.view, at);
      this.#end = at + (long ? this.#copyLong(event.view, at) : SHORT_WORDS);
    }
    // One node is no path.
    if (hops > 1) this.#addDelay(event, first);
  }

  /** What every record begins with; its first word. */
  #begin(event: IoamEvent, hop: number, kind: number): number {
    const at = this.#end;
    const words = this.#words;
    this.offsets[this.count] = at;
    this.kinds[this.count++] = kind;
    this.counts.traceRecords++;
    words[at + WORD.traceId] = this.#ids.low;
    words[at + WORD.traceId + 1] = this.#ids.high;
    words[at + WORD.time] = this.#timeLow;
    words[at + WORD.time + 1] = this.#timeHigh;
    words[at + WORD.place] = event.namespaceId | (hop << 16) | (event.hops << 24);
    words[at + WORD.traceType] = event.traceType;
    words[at + WORD.sizes] = 0;
    return at;
  }

  #setDex({ flowId, sequenceNumber }: IoamEvent, at: number): void {
    const words = this.#words;
    const flags =
      (flowId === undefined ? 0 : FLOW_ID) | (sequenceNumber === undefined ? 0 : SEQUENCE_NUMBER);
    words[at + WORD.flowId] = flowId ?? 0;
    words[at + WORD.sequenceNumber] = sequenceNumber ?? 0;
    words[at + WORD.sizes] = flags << 16;
  }

  /** Octets as they are, all ones where there are none. */
  #copyData(view: DataView, at: number): void {
    const words = this.#words;
    const fields = this.#fields;
    for (let bit = 0; bit <= LAST_SHORT_BIT; bit++) {
      const from = fields[bit]!;
      const to = at + DATA_WORD[bit]!;
      words[to] = from < 0 ? -1 : view.getInt32(from, true);
      if (bit >= BIT.nodeIdWide && bit <= BIT.namespaceDataWide) {
        words[to + 1] = from < 0 ? -1 : view.getInt32(from + 4, true);
      }
    }
  }

  /** The same of the other bits; words of the record. */
  #copyLong(view: DataView, at: number): number {
    const words = this.#words;
    const fields = this.#fields;
    for (let bit: number = BIT.firstUndefined; bit <= BIT.snapshot; bit++) {
      const from = fields[bit]!;
      words[at + WORD.undefined + bit - BIT.firstUndefined] =
        from < 0 ? -1 : view.getInt32(from, true);
    }
    const length = fields[SNAPSHOT_LENGTH]!;
    const to = 4 * (at + WORD.snapshot);
    const from = fields[SNAPSHOT_DATA]!;
    for (let i = 0; i < length; i++) this.#octets[to + i] = view.getUint8(from + i);
    words[at + WORD.sizes] = words[at + WORD.sizes]! | length;
    return LONG_WORDS + Math.ceil(length / 4);
  }

  /** From the first node's timestamp to that of the last, whose fields are located. */
  #addDelay(event: IoamEvent, first: number): void {
    const { view } = event;
    const secondsAt = this.#fields[BIT.timestampSeconds]!;
    const fractionAt = this.#fields[BIT.timestampFraction]!;
    if (secondsAt < 0 || fractionAt < 0) return;
    const delay = pathDelayMicroseconds(
      bigEndian(this.#words[first + DATA_WORD[BIT.timestampSeconds]!]!),
      bigEndian(this.#words[first + DATA_WORD[BIT.timestampFraction]!]!),
      view.getUint32(secondsAt),
      view.getUint32(fractionAt),
      timestampFormat(this.#formats, event.namespaceId),
    );
    if (delay < 0) this.counts.pathDelayNegative++;
    if (!(delay >= 0)) return;
    const at = this.#begin(event, 0, TRACE_KIND.pathDelay);
    this.#words[at + WORD.pathDelay] = delay | 0;
    this.#words[at + WORD.pathDelay + 1] = Math.floor(delay / 2 ** 32);
    this.#end = at + SHORT_WORDS;
  }
}

/** The number whose octets, most significant first, make this little-endian word. */
function bigEndian(word: number): number {
  const swapped = (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
  return swapped >>> 0;
}
