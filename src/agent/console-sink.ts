// Prints exported flows and traces on standard output.
import { type Flow, readFlow } from "../meter/index.ts";
import {
  type AgentSink,
  allOf,
  type Batch,
  type Dropped,
  NOTHING_DROPPED,
  type TraceBatch,
} from "./sink.ts";
import { type ExportedTrace, tracesOf } from "./trace/exported-trace.ts";

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

  /** `onClosed` is called once, when the reader has gone; from then on everything is dropped. */
  constructor(printers: Printers, onClosed: () => void) {
    this.#printers = printers;
    this.#onClosed = onClosed;
  }

  async take(batch: Batch): Promise<Readonly<Dropped>> {
    await this.#print(() => this.#printers.flows(flowsOf(batch)));
    return this.#closed ? allOf(batch) : NOTHING_DROPPED;
  }

  async takeTraces(batch: TraceBatch): Promise<number> {
    await this.#print(() => this.#printers.traces(tracesOf(batch)));
    return this.#closed ? batch.records.count : 0;
  }

  async close(): Promise<void> {}

  async #print(print: () => Promise<boolean>): Promise<void> {
    if (this.#closed || (await print()) || this.#closed) return;
    this.#closed = true;
    this.#onClosed();
  }
}

function flowsOf({ sealed, slice, netns, flowContext, flowEndReason }: Batch): ExportedFlow[] {
  const view = new DataView(sealed.buffer);
  return Array.from(slice.offsets.subarray(0, slice.count), (words) => ({
    netns,
    ...readFlow(view, 4 * words, flowContext),
    flowEndReason,
  }));
}
