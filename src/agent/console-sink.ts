// Prints exported flows on standard output.
import { type Flow, readFlow } from "../meter/index.ts";
import { allOf, type Batch, type Dropped, NOTHING_DROPPED, type Sink } from "./sink.ts";

/** A flow as it is printed: as `dump --json` has it, and where and why it was exported. */
export interface ExportedFlow extends Flow {
  netns: string | null;
  flowEndReason: number;
}

/** Prints flows; resolves to false when nobody reads any more. */
export type FlowPrinter = (flows: ExportedFlow[]) => Promise<boolean>;

/** Standard output as a sink. */
export class ConsoleSink implements Sink {
  readonly name = "standard output";
  readonly #print: FlowPrinter;
  readonly #onClosed: () => void;
  #closed = false;

  /** `onClosed` is called once, when the reader has gone; from then on every flow is dropped. */
  constructor(print: FlowPrinter, onClosed: () => void) {
    this.#print = print;
    this.#onClosed = onClosed;
  }

  async take(batch: Batch): Promise<Readonly<Dropped>> {
    if (!this.#closed && !(await this.#print(flowsOf(batch)))) {
      this.#closed = true;
      this.#onClosed();
    }
    return this.#closed ? allOf(batch) : NOTHING_DROPPED;
  }

  async close(): Promise<void> {}
}

function flowsOf({ sealed, slice, netns, flowContext, flowEndReason }: Batch): ExportedFlow[] {
  const view = new DataView(sealed.buffer);
  return Array.from(slice.offsets.subarray(0, slice.count), (words) => ({
    netns,
    ...readFlow(view, 4 * words, flowContext),
    flowEndReason,
  }));
}
