// Rotates one meter's table when it is time or when it is filling, and drains what was sealed.
import type { Logger } from "pino";
import { FILLING_SHARE, type Meter } from "../meter/index.ts";
import { clockOffset } from "../native/bpf-loader/index.ts";
import { type DrainContext, drain } from "./drain.ts";
import { LimitedLog } from "./limited-log.ts";
import type { Sink } from "./sink.ts";
import { startTicker, type Ticker } from "./ticker.ts";

/** Element 136, flowEndReason. */
const ACTIVE_TIMEOUT = 2;
const FORCED_END = 4;
const LACK_OF_RESOURCES = 5;

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
  #earlyQueued = false;

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
    this.#ticker?.stop();
    this.#ticker = startTicker(period, async () => {
      if (look()) await this.#enqueue(() => this.#rotate(ACTIVE_TIMEOUT));
    });
  }

  /** No rotation begins any more; one that runs goes on. */
  stop(): void {
    this.#ticker?.stop();
    this.#filling?.close();
  }

  /** Resolves when no rotation runs. */
  async idle(): Promise<void> {
    await this.#queue;
  }

  /**
   * Exports everything that is in the table. To be called after `stop`, and after the attachments
   * that are to go are gone: then nothing is left. Rejects when it could not be exported.
   */
  async finish(): Promise<void> {
    await this.idle();
    await this.#finishPending();
    await this.#rotateNow(FORCED_END);
  }

  #rotateEarly(): void {
    if (this.#earlyQueued) return;
    this.#earlyQueued = true;
    void this.#enqueue(async () => {
      this.#earlyQueued = false;
      // By now another rotation may have made room.
      if (this.#isFilling()) await this.#rotate(LACK_OF_RESOURCES);
    });
  }

  #isFilling(): boolean {
    return this.#meter.used() >= Math.max(1, Math.floor(FILLING_SHARE * this.#meter.maxFlows));
  }

  /** Runs jobs one after another. One that fails is logged, and its records stay in the table. */
  #enqueue(job: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(job).catch((error: Error) => {
      const fields = { netns: this.#meter.netns, err: error };
      this.#troubles.warn(error.message, fields, "export failed, the next rotation tries again");
    });
    return this.#queue;
  }

  async #rotate(flowEndReason: number): Promise<void> {
    await this.#finishPending();
    // An empty generation stays: the flows before it keep their sequence state.
    if (this.#meter.used() > 0) await this.#rotateNow(flowEndReason);
  }

  async #rotateNow(flowEndReason: number): Promise<void> {
    const start = performance.now();
    const sealed = await this.#meter.rotate(flowEndReason === LACK_OF_RESOURCES);
    const flows = await drain(sealed, this.#sinks(), this.#context(flowEndReason));
    const ms = Math.round(performance.now() - start);
    this.#log.debug({ netns: this.#meter.netns, flows, flowEndReason, ms }, "rotated");
  }

  async #finishPending(): Promise<void> {
    const sealed = await this.#meter.pending();
    if (sealed === undefined) return;
    const flows = await drain(sealed, this.#sinks(), this.#context(ACTIVE_TIMEOUT));
    this.#log.debug({ netns: this.#meter.netns, flows }, "finished an earlier rotation");
  }

  #context(flowEndReason: number): DrainContext {
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
