// What flows and traces are handed to as IPFIX: one collector, or the first of several that works.
import type { ExportContext, ExportResult } from "../ipfix/index.ts";

/** Records in memory, and the templates that they are encoded with. */
export interface Records {
  readonly buffer: ArrayBufferLike;
  /** Of each record, where it begins: 32-bit words. */
  readonly offsets: Uint32Array;
  /** Of each record, the place of its template. */
  readonly kinds: ArrayLike<number>;
  readonly count: number;
  readonly context: ExportContext;
}

/** A destination of records. */
export interface Exporter {
  /** For messages: "udp [2001:db8::1]:4739". */
  readonly name: string;
  /** Resolves once all records are sent or given up, the latter at the latest when `signal` aborts. */
  export(records: Records, signal: AbortSignal): Promise<ExportResult>;
  close(): Promise<void>;
}
