// A collector, or a file in its place: an exporting process, what it logs, and whether it works.
import type { Logger } from "pino";
import {
  type DomainCounters,
  ExportingProcess,
  type ExportingProcessOptions,
  type ExportResult,
  type LinkState,
  type Peer,
} from "../../ipfix/index.ts";
import { LimitedLog } from "../limited-log.ts";
import type { CollectorStatus, Exporter, Records } from "./exporter.ts";

/** How long a collector that failed is left alone while there is another, milliseconds. */
const RECOVERY_MS = 10_000;

/** How long the agent waits for the first attempt to connect before it goes on, milliseconds. */
const FIRST_ATTEMPT_MS = 2000;

/** Packets of a session that has ended may still be under way. */
const PEERS = 2;

/** What no further attempt can mend. */
const PERMANENT = new Set(["MTU_TOO_SMALL"]);

/** One destination of an agent. */
export class Collector implements Exporter {
  readonly name: string;
  readonly #process: ExportingProcess;
  readonly #log: Logger;
  readonly #troubles: LimitedLog;
  readonly #onChange: () => void;
  #peers: Peer[] = [];
  #refusals = 0;
  /** Records whose drop a call of `export` has told of. */
  #told = 0;
  #state: LinkState = "connecting";
  #failedUntil = Number.NEGATIVE_INFINITY;
  #lost = new AbortController();

  /** Begins to connect. `onChange`: a session began or ended. */
  constructor(options: ExportingProcessOptions, log: Logger, onChange: () => void = () => {}) {
    this.#onChange = onChange;
    this.name = options.destination.name;
    this.#log = log.child({ collector: this.name });
    this.#troubles = new LimitedLog(this.#log);
    this.#process = new ExportingProcess({
      ...options,
      onStateChange: (process) => this.#changed(process),
      onOptionsError: (error) =>
        this.#troubles.warn(error.code, { err: error }, "options records could not be encoded"),
    });
  }

  /**
   * Waits for the first attempt to connect, but not long: a collector that is down now may come up
   * later. Throws what no later attempt can mend: MTU_TOO_SMALL.
   */
  async begin(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), FIRST_ATTEMPT_MS);
    });
    const error = await Promise.race([this.#process.firstAttempt(), enough]);
    clearTimeout(timer);
    if (error !== undefined && PERMANENT.has(error.code)) throw error;
  }

  /** Ends of its sessions, the present one's last: packets to there are its own. */
  get peers(): readonly Peer[] {
    return this.#peers;
  }

  /** Whether it is worth a try: connected, and no failure just now. */
  get works(): boolean {
    return this.#process.state === "connected" && performance.now() >= this.#failedUntil;
  }

  /** Aborts when the present session ends. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** It did not take what it was given: from now on it does not work, for a while. */
  fail(): void {
    this.#failedUntil = performance.now() + RECOVERY_MS;
  }

  async export(records: Records, signal: AbortSignal): Promise<ExportResult> {
    const { buffer, offsets, kinds, count, context, observationDomainId } = records;
    const call = { signal, observationDomainId };
    const result = await this.#process.export(buffer, offsets, count, kinds, context, call);
    this.#tellRefusals();
    const { dropped, error } = result;
    this.#told += dropped.length;
    if (dropped.length > 0) {
      const fields = { records: dropped.length, err: error };
      this.#troubles.warn(error?.code ?? "", fields, "the collector did not take these records");
    }
    return result;
  }

  /** What it was sent in an observation domain, options included. */
  sentIn(observationDomainId: number): Readonly<DomainCounters> {
    return this.#process.sentIn(observationDomainId);
  }

  status(): CollectorStatus[] {
    const { state, lastError, counters } = this.#process;
    const error = lastError === undefined ? {} : { error: lastError.message };
    return [{ name: this.name, state, ...error, ...counters }];
  }

  async close(): Promise<void> {
    await this.#process.close();
    const records = this.#process.counters.droppedRecords - this.#told;
    if (records > 0) {
      this.#log.warn(
        { records },
        "these records counted as sent, but the collector did not take them",
      );
    }
  }

  #changed({ state, lastError, peer }: ExportingProcess): void {
    if (peer !== undefined) {
      const others = this.#peers.filter((one) => one.address !== peer.address);
      this.#peers = [...others, peer].slice(-PEERS);
    }

    if (this.#state === "connected") {
      this.#lost.abort();
      this.#lost = new AbortController();
    }
    this.#state = state;
    if (state === "connected") this.#log.info("connected");
    if (state === "waiting" && lastError !== undefined) {
      this.#troubles.warn(lastError.code, { err: lastError }, "not connected: trying again");
    }
    this.#onChange();
  }

  #tellRefusals(): void {
    const { refusals } = this.#process.counters;
    if (refusals === this.#refusals) return;
    this.#refusals = refusals;
    this.fail();
    this.#troubles.warn(
      "refused",
      { refusals },
      "nobody listens there: what was sent before is lost",
    );
  }
}
