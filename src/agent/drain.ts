// Hands a sealed generation to every sink, slice by slice, and moves the cursor behind what they took.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ExportContext } from "../ipfix/index.ts";
import type { FlowContext, SealedGeneration } from "../meter/index.ts";
import type { Dropped, Sink } from "./sink.ts";

/** Flows between two turns of the event loop: less than 2 ms of work. */
const SLICE = 4096;

/** What holds for all flows of a drain. */
export interface DrainContext {
  readonly netns: string | null;
  readonly context: ExportContext;
  readonly flowContext: FlowContext;
  readonly flowEndReason: number;
}

/**
 * Exports what is left of a sealed generation; resolves to the number of flows. What no sink took is
 * counted as dropped. Should a sink throw, the slice stays in the table, and so does the rest.
 */
export async function drain(
  sealed: SealedGeneration,
  sinks: readonly Sink[],
  shared: DrainContext,
): Promise<number> {
  let flows = 0;
  for (;;) {
    const slice = sealed.next(SLICE);
    const batch = { ...shared, sealed, slice };
    const dropped =
      slice.count === 0 ? [] : await Promise.all(sinks.map((sink) => sink.take(batch)));
    // Also after the last slice: it moves the cursor over records that are no flows of their own.
    sealed.commit(fewest(dropped));
    if (slice.count === 0) return flows;
    flows += slice.count;
    await nextTurn();
  }
}

/** What the best of the sinks could not send. */
function fewest(dropped: readonly Readonly<Dropped>[]): Readonly<Dropped> | undefined {
  return dropped.toSorted((a, b) => a.records - b.records)[0];
}
