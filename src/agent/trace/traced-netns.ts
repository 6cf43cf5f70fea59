// What the agent does with the kernel's IOAM events of one network namespace.
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { TimestampFormats } from "../../ioam/index.ts";
import { type Lock, lockAgent } from "../../meter/index.ts";
import { type NetnsHandle, openNetns } from "../../native/bpf-loader/index.ts";
import { type EventBatch, type KernelEvents, listenToKernel } from "../../netlink/index.ts";
import { LimitedLog } from "../limited-log.ts";
import { isNetns } from "../netns-name.ts";
import type { TraceSink } from "../sink.ts";
import { startTicker, type Ticker } from "../ticker.ts";
import {
  addTraceCounters,
  earlierTraceCounters,
  forgetTraceLedgers,
  newTraceCounters,
  type TraceCounters,
  writeTraceLedger,
} from "./trace-ledger.ts";
import { type TraceIds, TraceRecords } from "./trace-records.ts";

/** Longest time that a record waits for others, milliseconds. */
const EXPORT_MS = 100;

/** How often counters are written down, and whether the netns is still there looked at. */
const LEDGER_MS = 1000;

/** How long events that wait at the end may take. */
const END_MS = 5000;

/** What several network namespaces have in common. */
export interface TraceSurroundings {
  readonly formats: TimestampFormats;
  readonly ids: TraceIds;
  /** Asked anew by every export. */
  readonly sinks: () => readonly TraceSink[];
  readonly log: Logger;
}

/** A network namespace whose events are exported. */
export class TracedNetns {
  readonly inode: number;
  readonly netns: string | null;
  readonly #cookie: bigint;
  readonly #lock: Lock;
  readonly #earlier: TraceCounters;
  readonly #records: TraceRecords;
  readonly #events: KernelEvents;
  readonly #sinks: () => readonly TraceSink[];
  readonly #log: Logger;
  readonly #troubles: LimitedLog;
  #exported = 0;
  #dropped = 0;
  #abandoned = 0;
  #exporting: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ticker: Ticker | undefined;
  #written = "";
  #onFailure: () => void = () => {};

  private constructor(handle: NetnsHandle, lock: Lock, around: TraceSurroundings) {
    this.inode = handle.inode;
    this.netns = handle.name ?? null;
    this.#cookie = handle.cookie();
    this.#lock = lock;
    this.#earlier = earlierTraceCounters(this.inode, this.#cookie);
    this.#records = new TraceRecords(around.formats, around.ids);
    this.#sinks = around.sinks;
    this.#log = around.log;
    this.#troubles = new LimitedLog(around.log);
    this.#events = listenToKernel(
      { netns: handle, keepAlive: true },
      (batch) => this.#take(batch),
      (error) => {
        this.#log.error({ netns: this.netns, err: error }, "no more IOAM events are received");
        this.#onFailure();
      },
    );
    this.#write();
  }

  /**
   * Begins to listen and export in a network namespace (default: this process's own). Throws
   * NETNS_NOT_FOUND, AGENT_RUNNING, and what listenToKernel() throws; then nothing is left behind.
   */
  static open(netns: string | undefined, around: TraceSurroundings): TracedNetns {
    const handle = openNetns(netns);
    let lock: Lock | undefined;
    try {
      lock = lockAgent(handle.inode, "trace");
      return new TracedNetns(handle, lock, around);
    } catch (error) {
      lock?.release();
      throw error;
    } finally {
      handle.close();
    }
  }

  /** `onGone`: the network namespace was deleted, or its events can no longer be received. */
  start(onGone: () => void): void {
    this.#onFailure = onGone;
    this.#log.info({ netns: this.netns }, "listening to the kernel's IOAM events");
    this.#ticker = startTicker(LEDGER_MS, async () => {
      if (this.#isGone()) {
        this.#log.warn({ netns: this.netns }, "netns was deleted: its last traces are exported");
        onGone();
      } else {
        this.#write();
      }
    });
  }

  /** Exports what has been received by now, and ends. */
  async close(): Promise<void> {
    this.#ticker?.stop();
    const end = performance.now() + END_MS;
    const enough = this.#events.counters().netlinkEvents + this.#events.waiting;
    while (this.#events.counters().netlinkEvents < enough && this.#events.waiting > 0) {
      if (performance.now() > end) break;
      await delay(10);
    }
    this.#events.close();
    this.#abandoned = this.#events.waiting;
    await this.#exporting;
    await this.#export();
    this.#write();
    this.#lock.release();
    if (this.#isGone()) forgetTraceLedgers(this.inode);
    this.#log.info({ netns: this.netns, ...this.counters() }, "no longer listening");
  }

  /** Resolves when no export runs that began before. */
  async idle(): Promise<void> {
    await this.#exporting;
  }

  /** Since the first agent that listened in this network namespace. */
  counters(): TraceCounters {
    const events = this.#events.counters();
    return addTraceCounters(this.#earlier, {
      ...newTraceCounters(),
      ...events,
      // Received, and never decoded: the agent ended before their turn came.
      netlinkDrops: events.netlinkDrops + this.#abandoned,
      ...this.#records.counts,
      exportedTraceRecords: this.#exported,
      droppedTraceRecords: this.#dropped,
    });
  }

  #isGone(): boolean {
    return this.netns !== null && !isNetns(this.netns, this.inode);
  }

  #take(batch: EventBatch): void | Promise<void> {
    if (this.#exporting === undefined && this.#fill(batch)) return;
    return this.#takeSlowly(batch);
  }

  /** Makes records of the rest of a batch, as the buffer empties. */
  async #takeSlowly(batch: EventBatch): Promise<void> {
    do await (this.#exporting ?? this.#export());
    while (!this.#fill(batch));
  }

  /** False: the buffer is full, and events may be left. */
  #fill(batch: EventBatch): boolean {
    const records = this.#records;
    records.setTime(Date.now());
    while (!records.full) {
      const event = batch.next();
      if (event === undefined) {
        if (records.count > 0) this.#timer ??= setTimeout(() => void this.#export(), EXPORT_MS);
        return true;
      }
      records.add(event);
    }
    return false;
  }

  /** Exports and empties the buffer. Nothing is added meanwhile. Never rejects. */
  #export(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#exporting ??= this.#exportNow().finally(() => {
      this.#exporting = undefined;
    });
    return this.#exporting;
  }

  async #exportNow(): Promise<void> {
    const records = this.#records;
    if (records.count === 0) return;
    const batch = { netns: this.netns, records, signal: AbortSignal.timeout(1000) };
    const dropped = await Promise.all(
      this.#sinks().map((sink) =>
        sink.takeTraces(batch).catch((error: Error) => {
          const fields = { netns: this.netns, err: error };
          this.#troubles.warn(error.message, fields, "trace records could not be exported");
          return records.count;
        }),
      ),
    );
    const fewest = Math.min(records.count, ...dropped);
    this.#exported += dropped.length === 0 ? 0 : records.count - fewest;
    this.#dropped += fewest;
    records.clear();
  }

  #write(): void {
    const counters = this.counters();
    const text = JSON.stringify(counters);
    if (text === this.#written) return;
    this.#written = text;
    writeTraceLedger(this.inode, this.#cookie, this.netns, counters);
  }
}
