// Rotates one meter's table when it is time or when it is filling, and drains what was sealed.
import type { Logger } from "pino";
import { FILLING_SHARE, type Meter, type SealedGeneration } from "../../meter/index.ts";
import { clockOffset } from "../../native/bpf-loader/index.ts";
import { LimitedLog } from "../limited-log.ts";
import type { Sink } from "../sink.ts";
import { startTicker, type Ticker } from "../ticker.ts";
import { type DrainContext, drain } from "./drain.ts";

/** Element 136, flowEndReason. */
const ACTIVE_TIMEOUT = 2;
const FORCED_END = 4;
const LACK_OF_RESOURCES = 5;

/** Milliseconds that every drain has at least, before slow collectors lose what they have not taken. */
const PATIENCE = 1000;

/** The same at the end, when nothing waits behind it. */
const LAST_PATIENCE = 4000;

/** RFC 9197: all ones, where the node has no id. */
const NO_NODE_ID = 0xff_ffff;

/** Drives one meter. Rotations of a meter never overlap. */
export class Rotator {
  readonly #meter: Meter;
  readonly #sinks: () => readonly Sink[];
  readonly #log: Logger;
  readonly #troubles: LimitedLog;
  #queue: Promise<void> = Promise.resolve();
  #ticker: Ticker | undefined;
  #filling: { close(): void } | undefined;
  /** Why rotations are queued: their flowEndReason. */
  readonly #queued: Set<number> = new Set();
  #period = 0;
  #isStopping = false;
  #deadline: NodeJS.Timeout | undefined;
  #draining: { readonly since: number; readonly deadline: AbortController } | undefined;

  /** `sinks` is asked anew by every drain. */
  constructor(meter: Meter, sinks: () => readonly Sink[], log: Logger) {
    this.#meter = meter;
    this.#sinks = sinks;
    this.#log = log;
    this.#troubles = new LimitedLog(log);
  }

  /**
   * Begins to rotate every `period` milliseconds; before each rotation `look` says whether to go on.
   * What another agent left sealed is drained at once, and a table that is filling already rotated.
   */
  start(period: number, look: () => boolean): void {
    this.#filling = this.#meter.onFilling(() => this.#rotateEarly());
    this.setPeriod(period, look);
    if (this.#isFilling()) this.#rotateEarly();
    else void this.#enqueue(() => this.#finishPending());
  }

  /** Changes the time between rotations, milliseconds. */
  setPeriod(period: number, look: () => boolean): void {
    this.#period = period;
    this.#ticker?.stop();
    this.#ticker = startTicker(period, async () => {
      if (look()) this.#rotateDue();
    });
  }

  /** No rotation begins any more; one that runs goes on. */
  stop(): void {
    this.#isStopping = true;
    this.#ticker?.stop();
    this.#filling?.close();
  }

  /** Resolves when no rotation runs; a drain that does has not much longer. */
  async idle(): Promise<void> {
    this.#hurry(PATIENCE);
    await this.#queue;
  }

  /**
   * Exports everything that is in the table. To be called after `stop`, and after the attachments
   * that are to go are gone: then nothing is left. Rejects when it could not be exported.
   */
  async finish(): Promise<void> {
    await this.idle();
    await this.#finishPending(true);
    await this.#rotateNow(FORCED_END, true);
  }

  /** By the ticker not awaited: the end of a drain that takes a whole period is its next tick. */
  #rotateDue(): void {
    this.#queueRotation(ACTIVE_TIMEOUT, () => !this.#isStopping);
  }

  #rotateEarly(): void {
    // By its turn another rotation may have made room.
    this.#queueRotation(LACK_OF_RESOURCES, () => this.#isFilling());
  }

  /** Queues a rotation, one at a time for each reason; in its turn it takes place if it `isDue` still. */
  #queueRotation(flowEndReason: number, isDue: () => boolean): void {
    // Nothing can be sealed before the generation before is out of the way.
    this.#hurry(PATIENCE);
    if (this.#queued.has(flowEndReason)) return;
    this.#queued.add(flowEndReason);
    void this.#enqueue(async () => {
      this.#queued.delete(flowEndReason);
      if (isDue()) await this.#rotate(flowEndReason);
    });
  }

  #isFilling(): boolean {
    return this.#meter.used() >= Math.max(1, Math.floor(FILLING_SHARE * this.#meter.maxFlows));
  }

  /** Runs jobs one after another. One that fails is logged, and its records stay in the table. */
  #enqueue(job: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(job).catch((error: Error) => {
      const fields = { netns: this.#meter.netns, err: error };
      const next = this.#isStopping
        ? "trying once more before the end"
        : "the next rotation tries again";
      this.#troubles.warn(error.message, fields, `export failed, ${next}`);
    });
    return this.#queue;
  }

  async #rotate(flowEndReason: number): Promise<void> {
    await this.#finishPending();
    // An empty generation stays: the flows before it keep their sequence state.
    if (this.#meter.used() > 0) await this.#rotateNow(flowEndReason);
  }

  async #rotateNow(flowEndReason: number, isLast = false): Promise<void> {
    const start = performance.now();
    const sealed = await this.#meter.rotate(flowEndReason === LACK_OF_RESOURCES);
    const flows = await this.#drain(sealed, flowEndReason, isLast);
    const ms = Math.round(performance.now() - start);
    this.#log.debug({ netns: this.#meter.netns, flows, flowEndReason, ms }, "rotated");
  }

  async #finishPending(isLast = false): Promise<void> {
    const sealed = await this.#meter.pending();
    if (sealed === undefined) return;
    const flows = await this.#drain(sealed, ACTIVE_TIMEOUT, isLast);
    this.#log.debug({ netns: this.#meter.netns, flows }, "finished an earlier rotation");
  }

  /** A collector has one period to take what is sealed: then the next generation needs its place. */
  async #drain(sealed: SealedGeneration, flowEndReason: number, isLast: boolean): Promise<number> {
    const deadline = new AbortController();
    this.#draining = { since: performance.now(), deadline };
    this.#hurry(isLast ? LAST_PATIENCE : Math.max(PATIENCE, this.#period));
    try {
      const { signal } = deadline;
      const keepsRest = (): boolean => this.#isStopping;
      const context = { ...this.#context(flowEndReason), signal, keepsRest };
      return await drain(sealed, this.#sinks(), context);
    } finally {
      clearTimeout(this.#deadline);
      this.#draining = undefined;
    }
  }

  /** Lets the drain that runs, if one does, have `patience` milliseconds from its beginning. */
  #hurry(patience: number): void {
    if (this.#draining === undefined) return;
    const { since, deadline } = this.#draining;
    clearTimeout(this.#deadline);
    const left = Math.max(0, patience - (performance.now() - since));
    this.#deadline = setTimeout(() => deadline.abort(), left).unref();
  }

  #context(flowEndReason: number): Omit<DrainContext, "signal" | "keepsRest"> {
    const meter = this.#meter;
    const offset = clockOffset().realtimeMinusMonotonicNs;
    return {
      netns: meter.netns,
      flowEndReason,
      context: {
        clockOffset: offset,
        values: { flowEndReason, ioamNodeId: meter.nodeIds().ioamNodeId ?? NO_NODE_ID },
      },
      flowContext: { clockOffset: offset, interfaceName: meter.interfaceNames() },
    };
  }
}
