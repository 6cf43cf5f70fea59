// What was lost since the agent began, and when first and last.

/** Records, and the packets and octets that they have counted. */
export interface Loss {
  readonly records: number;
  readonly packets: number;
  readonly octets: number;
}

/** Sums of losses; they only grow. */
export class LossCounts implements Loss {
  records = 0;
  packets = 0;
  octets = 0;
  /** Unix milliseconds of the first loss and of the last; 0: there was none yet. */
  first = 0;
  last = 0;

  /** Adds a loss that was noticed at `now`, Unix milliseconds. Nothing is no loss. */
  add({ records, packets, octets }: Loss, now: number = Date.now()): void {
    if (records <= 0 && packets <= 0) return;
    this.records += records;
    this.packets += packets;
    this.octets += octets;
    if (this.first === 0) this.first = now;
    this.last = now;
  }
}
