// Records of one template on their way into messages.
import type { BoundEncoder } from "../encoder/compile-encoder.ts";
import type { Outgoing } from "./outgoing.ts";

/** Records in memory, of several templates. */
export interface Records {
  readonly buffer: ArrayBufferLike;
  /** Of each record, where it begins: 32-bit words. */
  readonly offsets: Uint32Array;
  readonly count: number;
  /** Of each record, the place of its encoder. */
  readonly kinds: ArrayLike<number>;
}

/** Those of the records that are at these places. */
export function recordsAt<T extends Records>(records: T, places: Uint32Array): T {
  const { offsets, kinds } = records;
  return {
    ...records,
    count: places.length,
    offsets: places.map((place) => offsets[place]!),
    kinds: Uint8Array.from(places, (place) => kinds[place]!),
  };
}

/** Messages that are being filled with records, to be sent in one go. */
export interface RecordBatch extends Outgoing {
  /** Of the messages; to be set while the batch is empty, before records come. */
  observationDomainId: number;
  readonly setContext: BoundEncoder["setContext"];
  /** Records in the batch. */
  readonly records: number;
  /**
   * Lays out an empty batch: messages of at most `maxLength` octets (room for one record at least),
   * and as many of them as `maxMessages` gives for their length.
   */
  layOut(maxLength: number, maxMessages: (messageLength: number) => number): void;
  /**
   * Encodes the records `from` and following, whose memory `words` are, until one of another kind
   * comes, or there is no room for the next. Gives the number of the first that it did not encode;
   * `from`: send and clear the batch before. An empty batch has room.
   */
  fill(words: Int32Array, records: Records, from: number): number;
  /** The numbers of the records in the messages from an octet on. */
  numbersFrom(octet: number): Uint32Array;
  /** Empties the batch. */
  clear(): void;
}
