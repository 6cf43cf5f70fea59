// Listens to the kernel's IOAM events in a network namespace.

import { setTimeout as delay } from "node:timers/promises";
import type { NetnsHandle } from "../native/bpf-loader/index.ts";
import { listenNetlink, type NetlinkReceiver, openNetlink } from "../native/node-netlink/index.ts";
import { EventBatch } from "./event-batch.ts";
import { eventGroup, ioamFamily } from "./family.ts";
import { IoamEvent } from "./ioam-event.ts";

export interface KernelEventsOptions {
  /** Default: that of the calling thread. */
  netns?: NetnsHandle | undefined;
  /** Octets that the kernel may hold for us. */
  receiveBuffer?: number | undefined;
  /** Octets of events that may wait for JavaScript. */
  bufferOctets?: number | undefined;
  /** Listening keeps the process alive; default: it does not. */
  keepAlive?: boolean | undefined;
}

/** How often end() looks, milliseconds. */
const LOOK_MS = 5;

/** Events received (decoded, whole) + drops = events that the kernel sent, but for malformed ones. */
export interface KernelEventCounters {
  netlinkEvents: number;
  /**
   * What the kernel dropped because its buffer was full, exactly; once it is closed, also what came
   * and was not handed over.
   */
  netlinkDrops: number;
  /** Messages that were no event, or contradicted themselves. */
  netlinkMalformed: number;
}

export class KernelEvents {
  readonly #receiver: NetlinkReceiver;
  readonly #batch: EventBatch;
  /** Received, and given up by close(). */
  #abandoned = 0;
  #closed = false;

  /** @internal */
  constructor(receiver: NetlinkReceiver, batch: EventBatch) {
    this.#receiver = receiver;
    this.#batch = batch;
  }

  counters(): KernelEventCounters {
    const { drops, oversized, foreign, unread } = this.#receiver.counters();
    return {
      netlinkEvents: this.#batch.events,
      netlinkDrops: drops + unread + this.#abandoned,
      netlinkMalformed: this.#batch.malformed + oversized + foreign,
    };
  }

  /** Messages that were received and whose turn has not come yet. */
  get waiting(): number {
    const { messages } = this.#receiver.counters();
    return messages - this.#batch.events - this.#batch.malformed - this.#abandoned;
  }

  /**
   * Stops listening, hands over what had come by then, and closes. Resolves after `limit`
   * milliseconds at the latest, to how many were not handed over by then: they are counted as
   * dropped.
   */
  async end(limit: number): Promise<number> {
    this.#receiver.leave();
    const end = performance.now() + limit;
    // In this order: what is drained is in the count of those that wait.
    while (!(this.#receiver.drained && this.waiting === 0) && performance.now() < end) {
      if (this.#closed) break;
      await delay(LOOK_MS);
    }
    this.close();
    return this.#abandoned + this.#receiver.counters().unread;
  }

  /** Stops listening; again is harmless. What was not handed over is counted as dropped. */
  close(): void {
    this.#closed = true;
    this.#receiver.close();
    this.#batch.end();
    this.#abandoned += this.waiting;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Joins the kernel's IOAM events of a network namespace. `onBatch` gets those that came since the
 * last time: `while ((event = batch.next()) !== undefined) …`. Batch and events are valid until it
 * returns, or the promise that it returns settles; until then it gets no other, and events wait in
 * a bounded buffer, then in the kernel's. `onError` hears when nothing more can be received.
 *
 * NO_KERNEL_IOAM, NO_KERNEL_IOAM_EVENTS, NETLINK_PERMISSION (it takes CAP_NET_ADMIN in that netns),
 * NATIVE_MISSING, LIBMNL_MISSING.
 */
export function listenToKernel(
  o: KernelEventsOptions,
  onBatch: (batch: EventBatch) => void | Promise<void>,
  onError?: (error: Error) => void,
): KernelEvents {
  const netlink = openNetlink({ netns: o.netns });
  try {
    const family = ioamFamily(netlink);
    const batch = new EventBatch(new IoamEvent(family.id));
    const receiver = listenNetlink(
      { ...o, groups: [eventGroup(family)] },
      (octets) => {
        batch.begin(octets);
        return onBatch(batch);
      },
      onError,
    );
    return new KernelEvents(receiver, batch);
  } finally {
    netlink.close();
  }
}
