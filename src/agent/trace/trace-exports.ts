// Trace records on their way to every sink: one buffer is filled while others are being exported.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { LimitedLog } from "../limited-log.ts";
import type { TraceSink } from "../sink.ts";
import type { TraceRecords } from "./trace-records.ts";

/** Buffers of a network namespace, of about 1 MB each: so far may a sink be behind the others. */
const BUFFERS = 8;

/** What exporting needs beside the records. */
export interface TraceExportsOptions {
  readonly netns: string | null;
  /** Makes an empty buffer. */
  readonly make: () => TraceRecords;
  /** Asked anew by every export. */
  readonly sinks: () => readonly TraceSink[];
  readonly troubles: LimitedLog;
  /** Records were exported or dropped: the counts are others now. */
  readonly settled: () => void;
}

/** A buffer that some sinks have not taken yet. */
interface Export {
  readonly done: Promise<void>;
  readonly deadline: AbortController;
}

/** Never more than BUFFERS of them: who is that far behind loses the oldest, which is counted. */
export class TraceExports {
  /** Records that one sink took at least. */
  exported = 0;
  /** Records that none took. */
  dropped = 0;
  readonly #options: TraceExportsOptions;
  readonly #running: Set<Export> = new Set();
  readonly #free: TraceRecords[] = [];
  #filling: TraceRecords;
  #made = 1;

  constructor(options: TraceExportsOptions) {
    this.#options = options;
    this.#filling = options.make();
  }

  /** The buffer to fill; another one after `next`. */
  get filling(): TraceRecords {
    return this.#filling;
  }

  /** Hands the buffer to the sinks. Resolves when there is an empty one to fill. Never rejects. */
  async next(): Promise<void> {
    const records = this.#filling;
    if (records.count === 0) return;
    const deadline = new AbortController();
    const one = { done: this.#export(records, deadline.signal), deadline };
    this.#running.add(one);
    const finished = one.done.then(() => {
      this.#running.delete(one);
      records.clear();
      this.#free.push(records);
    });
    // Most often it is free again at once.
    await Promise.race([finished, nextTurn()]);
    if (this.#free.length === 0 && this.#made < BUFFERS) {
      this.#free.push(this.#options.make());
      this.#made++;
    }
    while (this.#free.length === 0) {
      const [oldest] = this.#running;
      oldest!.deadline.abort();
      await oldest!.done;
      await nextTurn();
    }
    this.#filling = this.#free.pop()!;
  }

  /** Resolves when all that was handed over before is exported or dropped. */
  async idle(): Promise<void> {
    await Promise.all([...this.#running].map(({ done }) => done));
  }

  /** What sinks have not taken yet is dropped. */
  giveUp(): void {
    for (const { deadline } of this.#running) deadline.abort();
  }

  async #export(records: TraceRecords, signal: AbortSignal): Promise<void> {
    const { netns, sinks, troubles, settled } = this.#options;
    const { count } = records;
    const batch = { netns, records, signal };
    const dropped = await Promise.all(
      sinks().map((sink) =>
        sink.takeTraces(batch).catch((error: Error) => {
          troubles.warn(
            error.message,
            { netns, err: error },
            "trace records could not be exported",
          );
          return count;
        }),
      ),
    );
    const fewest = Math.min(count, ...dropped);
    this.exported += dropped.length === 0 ? 0 : count - fewest;
    this.dropped += fewest;
    settled();
  }
}
