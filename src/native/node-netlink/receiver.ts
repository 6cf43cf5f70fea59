// Multicast messages of the kernel: received by a native thread, handed over in batches.

import type { NetnsHandle } from "../bpf-loader/index.ts";
import { addon, type RawReceiver } from "./addon.ts";
import { descriptorOf, type NetlinkMessages } from "./control.ts";
import { attempt, netlinkError } from "./failure.ts";

/** Octets of the kernel's buffer unless told: some 20 000 events of the kernel's IOAM. */
export const DEFAULT_RECEIVE_BUFFER: number = 32 << 20;

/** Octets of our own buffer unless told: 600 000 events of 100 octets, 1 000 000 of 64. */
export const DEFAULT_BUFFER_OCTETS: number = 64 << 20;

/**
 * Messages that came one after another. `octets` is the memory of all batches: this one's messages
 * are where `index` says, for as long as the callback has them.
 */
export interface NetlinkBatch extends NetlinkMessages {
  count: number;
  /** What the kernel has dropped in all since the receiver was opened. */
  drops: number;
}

export interface ListenOptions {
  /** Where the messages are; the calling thread's own unless told. */
  netns?: NetnsHandle | undefined;
  /** Multicast groups to join. */
  groups: number[];
  /** Octets that the kernel may hold for us; beyond rmem_max it takes CAP_NET_ADMIN. */
  receiveBuffer?: number | undefined;
  /** Octets that may wait for JavaScript, in memory that is taken as needed; full, the kernel's fills. */
  bufferOctets?: number | undefined;
  /** An open receiver keeps the process alive; default: it does not. */
  keepAlive?: boolean | undefined;
}

/** Counted since the receiver was opened. */
export interface ReceiverCounters {
  /** Messages received, whether or not JavaScript has them already. */
  messages: number;
  /** Messages that the kernel dropped because its buffer was full: exactly. */
  drops: number;
  /** How often it was seen to have dropped some. */
  overruns: number;
  /** Longer than 8192 octets, and left out. */
  oversized: number;
  /** Sent by somebody else than the kernel, and left out. */
  foreign: number;
  /** How often our own buffer was full. */
  stalls: number;
  /** Messages that were still in the kernel's buffer, or on their way to ours, at close(): exactly. */
  unread: number;
}

/** Batches in one turn of the event loop. */
const TURN = 4;

/** A socket in multicast groups, read until it is closed. */
export class NetlinkReceiver {
  readonly #raw: RawReceiver;
  readonly #octets: Uint8Array;
  readonly #index: ArrayBuffer;
  readonly #batchMessages: number;
  readonly #onBatch: (batch: NetlinkBatch) => void | Promise<void>;
  readonly #onError: ((error: Error) => void) | undefined;
  readonly #keepAlive: boolean;
  #busy = false;
  #closed = false;
  #failed = false;

  /** @internal */
  constructor(
    o: ListenOptions,
    onBatch: (batch: NetlinkBatch) => void | Promise<void>,
    onError?: (error: Error) => void,
  ) {
    this.#onBatch = onBatch;
    this.#onError = onError;
    this.#keepAlive = o.keepAlive ?? false;
    const { Receiver } = addon();
    this.#raw = attempt(
      "cannot listen to netlink multicast",
      () =>
        new Receiver(
          descriptorOf(o.netns),
          o.groups,
          o.receiveBuffer ?? DEFAULT_RECEIVE_BUFFER,
          o.bufferOctets ?? DEFAULT_BUFFER_OCTETS,
          () => this.#drain(),
          this.#keepAlive,
        ),
    );
    const { octets, index, batchMessages } = this.#raw.memory();
    this.#octets = new Uint8Array(octets);
    this.#index = index;
    this.#batchMessages = batchMessages;
  }

  /** Octets that the kernel really holds for this socket. */
  get receiveBuffer(): number {
    return this.#raw.counters().receiveBuffer;
  }

  counters(): ReceiverCounters {
    const {
      failure: _failure,
      receiveBuffer: _receiveBuffer,
      drained: _drained,
      ...counters
    } = this.#raw.counters();
    return counters;
  }

  /** Leaves the groups: when this returns nothing more comes. What came is handed over as before. */
  leave(): void {
    this.#raw.leave();
  }

  /** Whether, after leave(), the kernel holds nothing more for us: `messages` is all that came. */
  get drained(): boolean {
    return this.#raw.counters().drained;
  }

  /** Ends the receiving; what was not handed over is lost. Again is harmless. */
  close(): void {
    this.#closed = true;
    this.#raw.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Hands over what there is, one batch after another, other work in between. */
  #drain(): void {
    if (this.#busy) return;
    for (let turn = 0; !this.#closed; turn++) {
      if (turn === TURN) {
        this.#goOnLater();
        return;
      }
      const batch = this.#raw.take();
      if (batch === undefined) {
        this.#reportFailure();
        return;
      }
      if (this.#handOver(batch)) return;
    }
  }

  #goOnLater(): void {
    this.#busy = true;
    const immediate = setImmediate(() => this.#resume());
    if (!this.#keepAlive) immediate.unref();
  }

  #resume(): void {
    this.#busy = false;
    this.#drain();
  }

  /** True: the callback keeps the batch for a while, and gets no other meanwhile. */
  #handOver(taken: { number: number; count: number; drops: number }): boolean {
    const { number, count, drops } = taken;
    const index = new Uint32Array(this.#index, number * this.#batchMessages * 8, count * 2);
    let kept: Promise<void> | undefined;
    try {
      kept = this.#onBatch({ octets: this.#octets, index, count, drops }) as typeof kept;
    } catch (error) {
      // Whoever survives it gets the next batch all the same.
      this.#raw.giveBack(number);
      this.#goOnLater();
      throw error;
    }
    if (kept === undefined) {
      this.#raw.giveBack(number);
      return false;
    }
    this.#busy = true;
    void kept.finally(() => {
      this.#raw.giveBack(number);
      this.#resume();
    });
    return true;
  }

  #reportFailure(): void {
    const { failure } = this.#raw.counters();
    if (failure === 0 || this.#failed) return;
    this.#failed = true;
    const error = netlinkError("netlink multicast is no longer received", failure);
    if (this.#onError === undefined) throw error;
    this.#onError(error);
  }
}

/**
 * Joins multicast groups and receives their messages. A thread reads them, many a system call, into
 * a bounded buffer; `onBatch` gets all that came meanwhile at once, in the order they came. Its
 * memory is used again when `onBatch` returns or the promise that it returns settles; until then it
 * is not called again, and messages wait in the buffer.
 *
 * What `onBatch` throws is an uncaught exception; the receiver goes on. `onError` hears when
 * nothing more can be received. NETLINK_PERMISSION, NETLINK_FAILED, NATIVE_MISSING, LIBMNL_MISSING.
 */
export function listenNetlink(
  o: ListenOptions,
  onBatch: (batch: NetlinkBatch) => void | Promise<void>,
  onError?: (error: Error) => void,
): NetlinkReceiver {
  return new NetlinkReceiver(o, onBatch, onError);
}
