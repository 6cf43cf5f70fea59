// Records in memory on their way into messages: a batch for each template.
import type { Encoder } from "../encoder/compile-encoder.ts";
import type { ExportContext } from "../field-source.ts";
import { type Calls, GIVEN_UP, type GivingUp } from "./calls.ts";
import { type ExportResult, range, Tally } from "./export-result.ts";
import { MessageBatch } from "./message-batch.ts";
import type { RecordBatch, Records } from "./record-batch.ts";
import { VariableBatch } from "./variable-batch.ts";

/** The batches of an exporting process; empty between calls of `send`. */
export class RecordBatches {
  readonly #batches: readonly RecordBatch[];
  #limit = 0;

  constructor(encoders: readonly Encoder[]) {
    this.#batches = encoders.map((encoder) =>
      encoder.tail === undefined
        ? new MessageBatch(encoder)
        : new VariableBatch(encoder, encoder.tail),
    );
  }

  /** Octets of a message at most, as it was laid out. */
  get limit(): number {
    return this.#limit;
  }

  /** The path's MTU may change from one call to the next. */
  layOut(limit: number, maxMessages: (messageLength: number) => number): void {
    if (limit === this.#limit) return;
    this.#limit = limit;
    for (const batch of this.#batches) batch.layOut(limit, maxMessages);
  }

  /** What follows is in this observation domain. */
  setDomain(observationDomainId: number): void {
    for (const batch of this.#batches) batch.observationDomainId = observationDomainId;
  }

  /** Throws CONTEXT_INVALID when `context` lacks a value. */
  setContext(context: ExportContext): void {
    for (const batch of this.#batches) batch.setContext(context);
  }

  /** Sends records; those that were not sent when it gives up are dropped, as `calls` counts. */
  async send(records: Records, calls: Calls, givingUp: GivingUp): Promise<ExportResult> {
    const { buffer, count, kinds } = records;
    const words = new Int32Array(buffer, 0, buffer.byteLength >>> 2);
    const tally = new Tally(count);
    let unfinished: RecordBatch | undefined;
    let next = 0;
    const send = async (batch: RecordBatch): Promise<void> => {
      const outcome = await calls.deliver(batch, givingUp, () => batch.clear());
      if (outcome === GIVEN_UP) {
        unfinished = batch;
        return;
      }
      if (outcome.taken < batch.octets) tally.drop(batch.numbersFrom(outcome.taken), outcome.error);
      batch.clear();
    };
    try {
      while (unfinished === undefined) {
        next = this.#fill(words, records, next);
        if (next === count) break;
        await send(this.#batches[kinds[next]!]!);
      }
      for (const batch of this.#batches) {
        if (batch.records > 0 && unfinished === undefined) await send(batch);
      }
      if (unfinished !== undefined) {
        for (const batch of this.#batches) {
          if (batch !== unfinished && batch.records > 0) calls.giveUp(tally, batch.numbersFrom(0));
        }
        calls.giveUp(tally, range(next, count));
      }
    } finally {
      for (const batch of this.#batches) if (batch !== unfinished) batch.clear();
    }
    return tally.result();
  }

  // Encodes records until there is no room for one, or no more; gives the next record's number.
  // A function of its own, and without await: called often, so that it is compiled as a whole.
  #fill(words: Int32Array, records: Records, from: number): number {
    const batches = this.#batches;
    const { count, kinds } = records;
    for (let i = from; i < count; ) {
      const next = batches[kinds[i]!]!.fill(words, records, i);
      if (next === i) return i;
      i = next;
    }
    return count;
  }
}
