// Prints exported flows and traces on standard output.
import { type Flow, readFlow } from "../../meter/index.ts";
import {
  type AgentSink,
  allOf,
  type Batch,
  type Dropped,
  NOTHING_DROPPED,
  type TraceBatch,
} from "../sink.ts";
import { type ExportedTrace, tracesOf } from "../trace/exported-trace.ts";

/** A flow as it is printed: as `dump --json` has it, and where and why it was exported. */
export interface ExportedFlow extends Flow {
  netns: string | null;
  flowEndReason: number;
}

/** Prints flows; resolves to false when nobody reads any more. */
export type FlowPrinter = (flows: ExportedFlow[]) => Promise<boolean>;

/** The same of traces. */
export type TracePrinter = (traces: ExportedTrace[]) => Promise<boolean>;

/** Prints all that is exported, in one format. */
export interface Printers {
  readonly flows: FlowPrinter;
  readonly traces: TracePrinter;
}

/** Standard output as a sink. */
export class ConsoleSink implements AgentSink {
  readonly name = "standard output";
  readonly #printers: Printers;
  readonly #onClosed: () => void;
  #closed = false;
  #printing: Promise<void> = Promise.resolve();

  /** `onClosed` is called once, when the reader has gone; from then on everything is dropped. */
  constructor(printers: Printers, onClosed: () => void) {
    this.#printers = printers;
    this.#onClosed = onClosed;
  }

  async take(batch: Batch): Promise<Readonly<Dropped>> {
    const printed = await this.#print(batch.signal, () => this.#printers.flows(flowsOf(batch)));
    return printed ? NOTHING_DROPPED : allOf(batch);
  }

  async takeTraces(batch: TraceBatch): Promise<number> {
    const printed = await this.#print(batch.signal, () => this.#printers.traces(tracesOf(batch)));
    return printed ? 0 : batch.records.count;
  }

  async close(): Promise<void> {}

  /** Prints when what was printed before has gone out; false: it did not come to that. */
  async #print(signal: AbortSignal, print: () => Promise<boolean>): Promise<boolean> {
    if (!(await settlesBefore(signal, this.#printing)) || this.#closed) return false;
    // What is printed has left the batch's memory: a reader who is slow has it all the same.
    const printing = print().then((isRead) => {
      if (isRead || this.#closed) return;
      this.#closed = true;
      this.#onClosed();
    });
    this.#printing = printing.catch(() => {});
    await settlesBefore(signal, printing);
    return !this.#closed;
  }
}

/** Whether a promise settles before a signal aborts. */
async function settlesBefore(signal: AbortSignal, promise: Promise<void>): Promise<boolean> {
  if (signal.aborted) return false;
  let listener = (): void => {};
  const aborted = new Promise<boolean>((resolve) => {
    listener = () => resolve(false);
    signal.addEventListener("abort", listener);
  });
  const settled = await Promise.race([promise.then(() => true), aborted]);
  signal.removeEventListener("abort", listener);
  return settled;
}

function flowsOf({ sealed, slice, netns, flowContext, flowEndReason }: Batch): ExportedFlow[] {
  const view = new DataView(sealed.buffer);
  return Array.from(slice.offsets.subarray(0, slice.count), (words) => ({
    netns,
    ...readFlow(view, 4 * words, flowContext),
    flowEndReason,
  }));
}
