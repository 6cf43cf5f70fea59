// Several collectors of which the first that works takes everything (RFC 6728: exportMode fallback).
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { type ExportResult, type Peer, recordsAt } from "../../ipfix/index.ts";
import type { Collector } from "./collector.ts";
import type { CollectorStatus, Exporter, Records } from "./exporter.ts";

/** How long a collector may take for one call before the next one's turn comes, milliseconds. */
const PATIENCE_MS = 2000;

/** How often it is looked whether one works again, milliseconds. */
const LOOK_MS = 100;

/** Fails over to the next collector, and back as soon as one before it works again. */
export class Fallback implements Exporter {
  readonly name: string;
  readonly #collectors: readonly Collector[];
  readonly #log: Logger;
  #current: Collector | undefined;

  constructor(collectors: readonly Collector[], log: Logger) {
    this.name = collectors.map(({ name }) => name).join(", else ");
    this.#collectors = collectors;
    this.#log = log;
  }

  async export(records: Records, signal: AbortSignal): Promise<ExportResult> {
    /** What is left to send, as places in `records`; undefined: everything. */
    let left: Uint32Array | undefined;
    let error: ExportResult["error"];
    while (!signal.aborted) {
      const collector = this.#choose();
      if (collector === undefined) {
        await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
        continue;
      }
      const enough = AbortSignal.any([signal, collector.lost, AbortSignal.timeout(PATIENCE_MS)]);
      const result = await collector.export(
        left === undefined ? records : recordsAt(records, left),
        enough,
      );
      if (result.dropped.length === 0) return { ...result, sent: records.count };
      error = result.error;
      left = left === undefined ? result.dropped : result.dropped.map((place) => left![place]!);
      if (!signal.aborted) collector.fail();
    }
    const dropped = left ?? Uint32Array.from({ length: records.count }, (_, i) => i);
    return { sent: records.count - dropped.length, dropped, error };
  }

  get peers(): readonly Peer[] {
    return this.#collectors.flatMap(({ peers }) => peers);
  }

  status(): CollectorStatus[] {
    return this.#collectors.flatMap((collector) => collector.status());
  }

  async close(): Promise<void> {
    await Promise.all(this.#collectors.map((collector) => collector.close()));
  }

  #choose(): Collector | undefined {
    const first = this.#collectors.find(({ works }) => works);
    if (first !== undefined && first !== this.#current) {
      if (this.#current !== undefined) {
        this.#log.warn({ from: this.#current.name, to: first.name }, "another collector's turn");
      }
      this.#current = first;
    }
    return first;
  }
}
