// Events of one batch, decoded as they are asked for.

import type { NetlinkBatch } from "../native/node-netlink/index.ts";
import type { IoamEvent } from "./ioam-event.ts";

/** Counts what was decoded, and walks batch after batch. */
export class EventBatch {
  /** Events decoded, of all batches. */
  events = 0;
  /** Messages that were no event, or contradicted themselves, of all batches. */
  malformed = 0;
  /** What the kernel had dropped in all when this batch ended. */
  drops = 0;
  readonly #event: IoamEvent;
  #octets: Uint8Array = new Uint8Array(0);
  #index: Uint32Array = new Uint32Array(0);
  #at = 0;

  constructor(event: IoamEvent) {
    this.#event = event;
  }

  begin(batch: Pick<NetlinkBatch, "octets" | "index" | "drops">): void {
    this.#octets = batch.octets;
    this.#index = batch.index;
    this.#at = 0;
    this.drops = batch.drops;
  }

  /** Leaves the rest of the batch alone: there is no next event. */
  end(): void {
    this.#at = this.#index.length;
  }

  /** The next event of the batch, in the object that every one comes in; undefined: there is none. */
  next(): IoamEvent | undefined {
    const index = this.#index;
    while (this.#at < index.length) {
      const offset = index[this.#at]!;
      const length = index[this.#at + 1]!;
      this.#at += 2;
      if (this.#event.decode(this.#octets, offset, length)) {
        this.events++;
        return this.#event;
      }
      this.malformed++;
    }
    return undefined;
  }
}
