// Hands a sealed generation to every sink, slice by slice, and moves the cursor behind what all have.
import { setImmediate as nextTurn } from "node:timers/promises";
import { IoamctlError } from "../../errors.ts";
import type { ExportContext } from "../../ipfix/index.ts";
import type { FlowContext, SealedGeneration, Slice } from "../../meter/index.ts";
import { type Dropped, NOTHING_DROPPED, type Sink } from "../sink.ts";

/** Flows between two turns of the event loop: less than 2 ms of work. */
const SLICE = 4096;

/** What holds for all flows of a drain. */
export interface DrainContext {
  readonly netns: string | null;
  readonly context: ExportContext;
  readonly flowContext: FlowContext;
  readonly flowEndReason: number;
  /** From its abort on, sinks drop what they have not taken yet. */
  readonly signal: AbortSignal;
  /** Whether what no sink has taken by then stays in the table: asked at that time. */
  readonly keepsRest: () => boolean;
}

/**
 * Exports what is left of a sealed generation; resolves to the number of flows. Each sink reads at its
 * own pace: a slow one holds up no other. What no sink took is counted as dropped. Should a sink throw,
 * or the rest be kept, what follows stays in the table: then this rejects.
 */
export async function drain(
  sealed: SealedGeneration,
  sinks: readonly Sink[],
  shared: DrainContext,
): Promise<number> {
  const readers = sinks.length > 0 ? sinks : [NOBODY];
  const progress = new Progress(sealed, readers.length, shared);
  const drained = readers.map((sink, i) => drainInto(sink, sealed, i, shared, progress));
  for (const { status, ...outcome } of await Promise.allSettled(drained)) {
    if (status === "rejected") throw (outcome as PromiseRejectedResult).reason;
  }
  return progress.flows;
}

const NOBODY: Sink = {
  name: "nobody",
  take: async () => NOTHING_DROPPED,
  close: async () => {},
};

async function drainInto(
  sink: Sink,
  sealed: SealedGeneration,
  number: number,
  shared: DrainContext,
  progress: Progress,
): Promise<void> {
  const reader = sealed.reader(number);
  for (let i = 0; ; i++) {
    const slice = reader.next(SLICE);
    if (slice.count === 0) {
      // Behind it: records that are no flows of their own.
      progress.settle(i, slice, NOTHING_DROPPED);
      return;
    }
    const batch = { ...shared, sealed, slice };
    progress.settle(i, slice, await sink.take(batch));
    await nextTurn();
  }
}

/** A slice that some sinks have, and others do not have yet. */
interface Unsettled extends Pick<Slice, "count" | "packets" | "octets" | "end"> {
  /** Sinks that it is still on its way to. */
  waiting: number;
  /** What the best of the others could not send. */
  fewest: Readonly<Dropped>;
}

/** Commits slices as the last sink has them. */
class Progress {
  flows = 0;
  readonly #sealed: SealedGeneration;
  readonly #sinks: number;
  readonly #shared: DrainContext;
  readonly #slices: (Unsettled | undefined)[] = [];

  constructor(sealed: SealedGeneration, sinks: number, shared: DrainContext) {
    this.#sealed = sealed;
    this.#sinks = sinks;
    this.#shared = shared;
  }

  /** A sink has settled slice `i`; each settles them in their order, so they are committed in it. */
  settle(i: number, { count, packets, octets, end }: Slice, dropped: Readonly<Dropped>): void {
    let one = this.#slices[i];
    if (one === undefined) {
      one = { count, packets, octets, end, waiting: this.#sinks, fewest: dropped };
      this.#slices[i] = one;
    }
    if (dropped.records < one.fewest.records) one.fewest = dropped;
    if (--one.waiting > 0) return;
    this.#slices[i] = undefined;
    if (one.fewest.records > 0 && this.#shared.signal.aborted && this.#shared.keepsRest()) {
      throw new IoamctlError(
        "EXPORT_UNFINISHED",
        "no collector took the last flows in time: they stay in the table for the next agent",
      );
    }
    this.#sealed.commit(one, one.fewest);
    this.flows += one.count;
  }
}
