// A sealed generation that is made up: flows of one packet each, and a cursor to look at.
import type { Dropped } from "../../../src/agent/sink.ts";
import type { SealedGeneration, Slice } from "../../../src/meter/index.ts";

/** What `FakeSealed` remembers of `commit`. */
export interface Committed {
  flows: number;
  dropped: Dropped | undefined;
}

/** `flows` records of one packet and 100 octets. */
export class FakeSealed {
  readonly buffer = new ArrayBuffer(8);
  readonly commits: Committed[] = [];
  #left: number;
  #last = 0;

  constructor(flows: number) {
    this.#left = flows;
  }

  next(max: number): Slice {
    const count = Math.min(max, this.#left);
    this.#left -= count;
    this.#last = count;
    const [offsets, kinds] = [new Uint32Array(max), new Uint8Array(max)];
    return { count, offsets, kinds, packets: count, octets: 100 * count };
  }

  commit(dropped?: Dropped): void {
    this.commits.push({ flows: this.#last, dropped });
  }

  get sealed(): SealedGeneration {
    return this as unknown as SealedGeneration;
  }
}
