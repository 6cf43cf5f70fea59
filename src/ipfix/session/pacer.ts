// Paces a transport to a rate: says how long to wait before the next packets.

/** Lateness, in milliseconds, that is made up for: timers are not exact. */
const CREDIT = 20;

/** Longest time that one batch may take at the rate, in milliseconds, unless it is one message. */
const BATCH_TIME = 10;

/** A token bucket on packet octets; times in milliseconds of any steady clock. */
export class Pacer {
  readonly #bitsPerMillisecond: number;
  #next = 0;

  /** `maxRate` is in bits a second, IP headers included. */
  constructor(maxRate: number) {
    this.#bitsPerMillisecond = maxRate / 1000;
  }

  /** Milliseconds until the next packet may go. */
  delay(now: number): number {
    return Math.max(0, this.#next - now);
  }

  /** Counts packets that have just gone. */
  charge(octets: number, now: number): void {
    const start = Math.max(this.#next, now - CREDIT);
    this.#next = start + (8 * octets) / this.#bitsPerMillisecond;
  }

  /** How many packets of that many octets to send at once, so that the rate stays even. */
  batchSize(packetOctets: number): number {
    return Math.max(1, Math.floor((BATCH_TIME * this.#bitsPerMillisecond) / (8 * packetOctets)));
  }
}
