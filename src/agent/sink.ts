// Where exported flows go: collectors and the console are both sinks.
import type { ExportContext } from "../ipfix/index.ts";
import type { FlowContext, SealedGeneration, Slice } from "../meter/index.ts";
import type { TraceRecords } from "./trace/trace-records.ts";

/** Some flows of a sealed generation, on their way to every sink. */
export interface Batch {
  readonly netns: string | null;
  readonly sealed: SealedGeneration;
  readonly slice: Slice;
  /** What the templates ask for beside the records. */
  readonly context: ExportContext;
  /** What printing the records asks for. */
  readonly flowContext: FlowContext;
  /** Element 136 of all these records. */
  readonly flowEndReason: number;
  /** From its abort on, what was not taken yet is dropped. */
  readonly signal: AbortSignal;
}

/** Records that a sink could not send, with what they counted. */
export interface Dropped {
  records: number;
  packets: number;
  octets: number;
}

export const NOTHING_DROPPED: Readonly<Dropped> = { records: 0, packets: 0, octets: 0 };

/** A destination of flows. */
export interface Sink {
  /** For messages: "collector [2001:db8::1]:4739". */
  readonly name: string;
  /**
   * Takes the flows of a batch. Resolves once the kernel has them all or they are given up, soon
   * after the batch's signal aborts at the latest; calls of several meters may overlap. The batch's
   * memory must not be looked at afterwards.
   */
  take(batch: Batch): Promise<Readonly<Dropped>>;
  close(): Promise<void>;
}

/** Trace records on their way to every sink. */
export interface TraceBatch {
  readonly netns: string | null;
  readonly records: Pick<TraceRecords, "buffer" | "offsets" | "kinds" | "count">;
  /** From its abort on, what was not taken yet is dropped. */
  readonly signal: AbortSignal;
}

/** A destination of trace records. */
export interface TraceSink {
  /**
   * Takes the records of a batch. Resolves to how many could not be sent, once the kernel has all
   * others; calls of several network namespaces may overlap.
   */
  takeTraces(batch: TraceBatch): Promise<number>;
}

/** A destination of all that an agent exports. */
export type AgentSink = Sink & TraceSink;

/** All of a batch. */
export function allOf({ slice }: Batch): Dropped {
  return { records: slice.count, packets: slice.packets, octets: slice.octets };
}
