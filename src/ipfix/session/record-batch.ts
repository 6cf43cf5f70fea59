// Records of one template on their way into messages.
import type { BoundEncoder } from "../encoder/compile-encoder.ts";
import type { Outgoing } from "./outgoing.ts";

/** Messages that are being filled with records, to be sent in one go. */
export interface RecordBatch extends Outgoing {
  readonly setContext: BoundEncoder["setContext"];
  /** Records in the batch. */
  readonly records: number;
  /**
   * Lays out an empty batch: messages of at most `maxLength` octets (room for one record at least),
   * and as many of them as `maxMessages` gives for their length.
   */
  layOut(maxLength: number, maxMessages: (messageLength: number) => number): void;
  /**
   * Encodes the record at 32-bit word `at` of `words`; `number` is what the caller calls it.
   * False: there is no room for it, send and clear the batch before. An empty batch has room.
   */
  add(words: Int32Array, at: number, number: number): boolean;
  /** The numbers of the records in the messages from an octet on. */
  numbersFrom(octet: number): Uint32Array;
  /** Empties the batch. */
  clear(): void;
}
