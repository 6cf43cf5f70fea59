// Octets of a record while it is being written, big-endian.
import { LONGEST_RECORD } from "../template.ts";
import { invalid } from "./value-error.ts";

/** Lengths from here on take three octets (RFC 7011 section 7). */
const LONG = 255;

/** A buffer that grows, up to what a message can have. */
export class OctetWriter {
  #octets = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was written; valid until the next write. */
  get octets(): Uint8Array {
    return this.#octets.subarray(0, this.#length);
  }

  /** Room for so many more octets, all 0: the place of the first. Throws VALUE_INVALID beyond a message. */
  reserve(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > LONGEST_RECORD) {
      throw invalid(
        `the record would have more than the ${LONGEST_RECORD} octets that a message takes`,
      );
    }
    if (needed > this.#octets.length) {
      const larger = new Uint8Array(Math.min(LONGEST_RECORD, 2 * needed));
      larger.set(this.#octets);
      this.#octets = larger;
    }
    this.#length = needed;
    return at;
  }

  /** The lowest `length` octets of an integer, in two's complement. */
  integer(value: number | bigint, length: number): void {
    const at = this.reserve(length);
    if (typeof value === "number" && length <= 4) {
      for (let i = 0; i < length; i++) this.#octets[at + i] = value >>> (8 * (length - 1 - i));
      return;
    }
    let rest = BigInt.asUintN(8 * length, BigInt(value));
    for (let i = length - 1; i >= 0; i--) {
      this.#octets[at + i] = Number(rest & 0xffn);
      rest >>= 8n;
    }
  }

  /** A float of 4 or 8 octets. */
  float(value: number, length: number): void {
    const at = this.reserve(length);
    const view = new DataView(this.#octets.buffer, at, length);
    if (length === 4) view.setFloat32(0, value);
    else view.setFloat64(0, value);
  }

  copy(octets: Uint8Array): void {
    const at = this.reserve(octets.length);
    this.#octets.set(octets, at);
  }

  /** Octets with their length before them (RFC 7011 section 7). */
  variable(octets: Uint8Array): void {
    if (octets.length < LONG) {
      this.integer(octets.length, 1);
    } else {
      this.integer(LONG, 1);
      this.integer(octets.length, 2);
    }
    this.copy(octets);
  }
}
