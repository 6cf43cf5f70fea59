// Listens to the kernel's IOAM events of a namespace and keeps them, or only counts them.
import { openNetns } from "../../src/native/bpf-loader/index.ts";
import {
  type KernelEventCounters,
  type KernelEvents,
  type KernelEventsOptions,
  listenToKernel,
} from "../../src/netlink/index.ts";
import { type DecodedEvent, plainEvent } from "../unit/netlink/decoded-event.ts";
import type { Netns } from "./netns.ts";

export class KernelListener {
  /** Empty unless they are kept. */
  readonly kept: DecodedEvent[] = [];
  batches = 0;
  readonly #events: KernelEvents;

  constructor(netns: Netns, o: Omit<KernelEventsOptions, "netns"> & { keep?: boolean } = {}) {
    const handle = openNetns(netns.name);
    this.#events = listenToKernel({ ...o, netns: handle }, (batch) => {
      this.batches++;
      for (let event = batch.next(); event !== undefined; event = batch.next()) {
        if (o.keep) this.kept.push(plainEvent(event));
      }
    });
    handle.close();
  }

  counters(): KernelEventCounters {
    return this.#events.counters();
  }

  /** What was received or dropped: every event that the kernel sent and that came through so far. */
  get accounted(): number {
    const { netlinkEvents, netlinkDrops, netlinkMalformed } = this.counters();
    return netlinkEvents + netlinkDrops + netlinkMalformed;
  }

  [Symbol.dispose](): void {
    this.#events.close();
  }
}
