// What flows and traces are handed to as IPFIX: one collector, or the first of several that works.
import type {
  ExportContext,
  ExportResult,
  LinkState,
  Peer,
  Records as RecordsInMemory,
  SessionCounters,
} from "../../ipfix/index.ts";

/** Records in memory, what their templates ask for beside them, and where they were observed. */
export interface Records extends RecordsInMemory {
  readonly context: ExportContext;
  readonly observationDomainId: number;
}

/** A collector, or a file in its place, as `status` shows it. */
export interface CollectorStatus extends SessionCounters {
  readonly name: string;
  readonly state: LinkState;
  /** Why there is no session. */
  readonly error?: string;
}

/** A destination of records. */
export interface Exporter {
  /** For messages: "udp [2001:db8::1]:4739". */
  readonly name: string;
  /** Resolves once all records are sent or given up, the latter at the latest when `signal` aborts. */
  export(records: Records, signal: AbortSignal): Promise<ExportResult>;
  /** Of each collector that it has. */
  status(): CollectorStatus[];
  /** Where its packets go, as far as it is known by now. */
  readonly peers: readonly Peer[];
  close(): Promise<void>;
}
