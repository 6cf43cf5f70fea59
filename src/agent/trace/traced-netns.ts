// What the agent does with the kernel's IOAM events of one network namespace.
import type { Logger } from "pino";
import type { TimestampFormats } from "../../ioam/index.ts";
import { type Lock, lockAgent } from "../../meter/index.ts";
import { type NetnsHandle, openNetns } from "../../native/bpf-loader/index.ts";
import { type EventBatch, type KernelEvents, listenToKernel } from "../../netlink/index.ts";
import { LimitedLog } from "../limited-log.ts";
import { isNetns } from "../netns-name.ts";
import { type IgnoringSource, ignoredByKernelEvents } from "../options/ignored-packets.ts";
import type { TraceSink } from "../sink.ts";
import { startTicker, type Ticker } from "../ticker.ts";
import { TraceExports } from "./trace-exports.ts";
import {
  addTraceCounters,
  earlierTraceCounters,
  forgetTraceLedger,
  newTraceCounters,
  type TraceCounters,
  writeTraceLedger,
} from "./trace-ledger.ts";
import { newTraceCounts, type TraceCounts, type TraceIds, TraceRecords } from "./trace-records.ts";

/** Longest time that a record waits for others, milliseconds. */
const EXPORT_MS = 100;

/** How often counters are written down at least, and whether the netns is still there looked at. */
const LEDGER_MS = 1000;

/** How long events that wait at the end may take, and then the records that were made of them. */
const END_MS = 5000;
const LAST_EXPORT_MS = 1000;

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
  static #opened = 0;
  readonly inode: number;
  readonly netns: string | null;
  readonly #cookie: bigint;
  readonly #lock: Lock;
  readonly #earlier: TraceCounters;
  readonly #counts: TraceCounts = newTraceCounts();
  readonly #exports: TraceExports;
  readonly #events: KernelEvents;
  readonly #log: Logger;
  readonly #troubles: LimitedLog;
  /** Tells its counters from those of one that had or will have the same inode. */
  readonly #number: number = ++TracedNetns.#opened;
  #ended = false;
  #closing: Promise<void> | undefined;
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
    this.#log = around.log;
    this.#troubles = new LimitedLog(around.log);
    this.#exports = new TraceExports({
      netns: this.netns,
      make: () => new TraceRecords(around.formats, around.ids, this.#counts),
      sinks: around.sinks,
      troubles: this.#troubles,
      // Now, not with the next tick: what a killed agent has not written down was never counted.
      settled: () => this.#write(),
    });
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

  /**
   * Exports what has come by now, also what the kernel still holds, and ends. What cannot be
   * exported in time is counted as dropped. Safe to repeat.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#ticker?.stop();
    const events = await this.#events.end(END_MS);
    await this.#export();
    const late = setTimeout(() => this.#exports.giveUp(), LAST_EXPORT_MS);
    const { dropped } = this.#exports;
    await this.#exports.idle();
    clearTimeout(late);
    this.#ended = true;
    clearTimeout(this.#timer);
    const records = this.#exports.dropped - dropped;
    if (events > 0 || records > 0) {
      const fields = { netns: this.netns, events, records };
      this.#log.warn(fields, "no time left to export these: they are counted as dropped");
    }
    this.#write();
    this.#lock.release();
    if (this.#isGone()) forgetTraceLedger(this.inode);
    this.#log.info({ netns: this.netns, ...this.counters() }, "no longer listening");
  }

  /** Resolves when no export runs that began before. */
  async idle(): Promise<void> {
    await this.#exports.idle();
  }

  /** Events that nobody read, since it was opened. */
  ignored(): IgnoringSource {
    const counters = this.#events.counters();
    return {
      ...ignoredByKernelEvents(`events ${this.#number}`, this.netns, counters),
      isNew: true,
    };
  }

  /** Since the first agent that listened in this network namespace. */
  counters(): TraceCounters {
    return addTraceCounters(this.#earlier, {
      ...newTraceCounters(),
      ...this.#events.counters(),
      ...this.#counts,
      exportedTraceRecords: this.#exports.exported,
      droppedTraceRecords: this.#exports.dropped,
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
    if (this.#ended) return true;
    const records = this.#exports.filling;
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

  /** Hands the buffer over. Nothing is added until there is another. Never rejects. */
  #export(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#exporting ??= this.#exports.next().finally(() => {
      this.#exporting = undefined;
    });
    return this.#exporting;
  }

  /** Writes down what holds now, if anything has changed. */
  #write(): void {
    const { netns } = this;
    const note = { netns, counters: this.counters(), waiting: Math.max(0, this.#events.waiting) };
    const text = JSON.stringify(note);
    if (text === this.#written) return;
    this.#written = text;
    try {
      writeTraceLedger(this.inode, this.#cookie, note);
    } catch (error) {
      const { message } = error as Error;
      this.#troubles.warn(message, { netns, err: error }, "counters could not be written down");
    }
  }
}
