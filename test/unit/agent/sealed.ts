// A sealed generation that is made up: flows of one packet each, and a cursor to look at.
import type { Dropped } from "../../../src/agent/sink.ts";
import type { SealedGeneration, Slice } from "../../../src/meter/index.ts";

/** What `FakeSealed` remembers of `commit`. */
export interface Committed {
  flows: number;
  end: number;
  dropped: Dropped | undefined;
}

/** `flows` records of one packet and 100 octets. */
export class FakeSealed {
  readonly buffer = new ArrayBuffer(8);
  readonly commits: Committed[] = [];
  readonly #flows: number;

  constructor(flows: number) {
    this.#flows = flows;
  }

  reader(): { next(max: number): Slice } {
    let end = 0;
    return {
      next: (max) => {
        const count = Math.min(max, this.#flows - end);
        end += count;
        const [offsets, kinds] = [new Uint32Array(max), new Uint8Array(max)];
        return { count, offsets, kinds, packets: count, octets: 100 * count, end };
      },
    };
  }

  commit({ count, end }: Slice, dropped?: Dropped): void {
    this.commits.push({ flows: count, end, dropped });
  }

  get sealed(): SealedGeneration {
    return this as unknown as SealedGeneration;
  }
}
