// The calls of an exporting process, one after another; each may give up waiting.
import { IoamctlError } from "../../errors.ts";
import type { SessionCounters } from "./counters.ts";
import { type ExportResult, range, Tally } from "./export-result.ts";
import { type Link, sessionClosed } from "./link.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Delivery, Sender } from "./sender.ts";

export const GIVEN_UP: unique symbol = Symbol("given up");

/** Settles when a call is to give up; undefined: it never does. */
export type GivingUp = Promise<typeof GIVEN_UP> | undefined;

/** What the calls of one exporting process share. */
export class Calls {
  readonly #sender: Sender;
  readonly #link: Link;
  readonly #counters: SessionCounters;
  readonly #maxQueued: number;
  #queued = 0;
  /** The turn of the last call that came. */
  #last: Promise<unknown> = Promise.resolve();
  /** Messages that were being sent when their call gave up. */
  #unfinished: Promise<unknown> = Promise.resolve();

  constructor(sender: Sender, counters: SessionCounters, maxQueued: number) {
    this.#sender = sender;
    this.#link = sender.link;
    this.#counters = counters;
    this.#maxQueued = maxQueued;
  }

  /**
   * Waits for the turn of a call with `count` records, then for a session, and runs `task`. When
   * `signal` aborts before, or too much waits already, the records are dropped and counted. Rejects
   * with what the task rejects with, and with SESSION_CLOSED: what waited until then is counted too.
   */
  async run(
    count: number,
    signal: AbortSignal | undefined,
    task: (givingUp: GivingUp) => Promise<ExportResult>,
  ): Promise<ExportResult> {
    if (this.#isClosed()) throw sessionClosed();
    if (count > 0 && this.#queued > 0 && this.#queued + count > this.#maxQueued) {
      return this.#refuse(count, queueFull(this.#maxQueued));
    }
    this.#queued += count;
    let listener = (): void => {};
    const givingUp: GivingUp =
      signal &&
      new Promise((resolve) => {
        listener = () => resolve(GIVEN_UP);
        if (signal.aborted) listener();
        else signal.addEventListener("abort", listener);
      });
    const before = this.#last;
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#last = before.then(() => ended);
    try {
      await (givingUp === undefined ? before : Promise.race([before, givingUp]));
      while (this.#link.transport === undefined && signal?.aborted !== true) {
        if (this.#isClosed()) {
          this.#counters.droppedRecords += count;
          throw sessionClosed();
        }
        await this.#link.change(signal);
      }
      if (signal?.aborted) return this.#refuse(count, gaveUp(this.#link));
      return this.#counted(await task(givingUp));
    } finally {
      this.#queued -= count;
      signal?.removeEventListener("abort", listener);
      void this.#unfinished.then(end);
    }
  }

  /** Runs a task between the calls, if there is a session then. Never rejects. */
  async between(task: () => Promise<unknown>): Promise<void> {
    const done = this.#last.then(() => (this.#link.transport === undefined ? undefined : task()));
    this.#last = done.catch(() => {});
    await this.#last;
  }

  /**
   * Settles when all that was asked for so far is sent or dropped, and counted. Once the link is closed
   * nothing waits for the collector, so that is soon.
   */
  async idle(): Promise<void> {
    await this.#last;
  }

  /**
   * Delivers messages. GIVEN_UP: they are still being sent; the next call waits for that, and for
   * `afterwards`.
   */
  async deliver(
    outgoing: Outgoing,
    givingUp: GivingUp,
    afterwards: () => void = () => {},
  ): Promise<Delivery | typeof GIVEN_UP> {
    const delivery = this.#sender.deliver(outgoing);
    if (givingUp === undefined) return delivery;
    const outcome = await Promise.race([delivery, givingUp]);
    if (outcome === GIVEN_UP) {
      this.#unfinished = delivery.then(({ taken }) => {
        // Its call has told of them as sent.
        const { octets } = outgoing;
        this.#counters.droppedRecords +=
          outgoing.recordsBefore(octets) - outgoing.recordsBefore(taken);
        afterwards();
      });
    }
    return outcome;
  }

  /** Delivers the messages of a call with `count` records, one after another; gives what became of these. */
  async deliverRecords(
    messages: Iterable<Outgoing>,
    count: number,
    givingUp: GivingUp,
  ): Promise<ExportResult> {
    const tally = new Tally(count);
    let at = 0;
    for (const message of messages) {
      const before = at;
      at += message.recordsBefore(message.octets);
      const outcome = await this.deliver(message, givingUp);
      if (outcome === GIVEN_UP) {
        this.giveUp(tally, range(at, count));
        break;
      }
      if (outcome.taken === 0) tally.drop(range(before, at), outcome.error);
    }
    return tally.result();
  }

  /** Drops records that nobody tries to send any more. */
  giveUp(tally: Tally, places: Uint32Array): void {
    tally.drop(places, gaveUp(this.#link));
  }

  #isClosed(): boolean {
    return this.#link.state === "closed";
  }

  #refuse(count: number, error: IoamctlError): ExportResult {
    const tally = new Tally(count);
    tally.drop(range(0, count), error);
    return this.#counted(tally.result());
  }

  #counted(result: ExportResult): ExportResult {
    this.#counters.droppedRecords += result.dropped.length;
    return result;
  }
}

function gaveUp({ lastError }: Link): IoamctlError {
  if (lastError !== undefined) return lastError;
  return new IoamctlError(
    "COLLECTOR_SLOW",
    "the collector did not take the records in time: see that it keeps up, or export less",
  );
}

function queueFull(limit: number): IoamctlError {
  return new IoamctlError(
    "QUEUE_FULL",
    `more than ${limit} records wait for the collector: see that it keeps up, or raise maxQueued`,
  );
}
