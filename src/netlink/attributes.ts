// Netlink's wire format: messages, generic netlink headers, attributes. Integers are this machine's.

import { endianness } from "node:os";

/** For DataView: whether this machine's integers are little-endian. */
export const LITTLE: boolean = endianness() === "LE";

/** Octets of struct nlmsghdr and struct genlmsghdr. */
export const GENERIC_HEADER = 20;
/** Octets of struct nlattr. */
export const ATTRIBUTE_HEADER = 4;

const MESSAGE_TYPE = 4;
const COMMAND = 16;
/* The two bits above say "nested" and "network byte order". */
const ATTRIBUTE_TYPE_MASK = 0x3fff;

/** Where the next attribute would begin. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}

/**
 * The command of the generic netlink message of that type in `length` octets from `offset` on; -1
 * when they are not exactly one message of it.
 */
export function messageCommand(
  view: DataView,
  offset: number,
  length: number,
  type: number,
): number {
  if (length < GENERIC_HEADER || offset + length > view.byteLength) return -1;
  const stated = view.getUint32(offset, LITTLE);
  if (stated < GENERIC_HEADER || stated > length || padded(stated) < length) return -1;
  if (view.getUint16(offset + MESSAGE_TYPE, LITTLE) !== type) return -1;
  return view.getUint8(offset + COMMAND);
}

/**
 * Walks the attributes between two offsets:
 *
 *     const walk = new AttributeWalk();
 *     walk.begin(view, offset, end);
 *     while (walk.next()) … walk.type, walk.offset, walk.length …
 *     if (walk.malformed) …
 */
export class AttributeWalk {
  /** Number of the attribute. */
  type = 0;
  /** Where its value begins. */
  offset = 0;
  /** Octets of its value. */
  length = 0;
  /** The walk ended before the end, at something that is no attribute. */
  malformed = false;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #at = 0;
  #end = 0;

  begin(view: DataView, offset: number, end: number): void {
    this.#view = view;
    this.#at = offset;
    this.#end = end;
    this.malformed = false;
  }

  next(): boolean {
    const at = this.#at;
    const left = this.#end - at;
    if (left < ATTRIBUTE_HEADER) {
      this.malformed = left > 0;
      return false;
    }
    const length = this.#view.getUint16(at, LITTLE);
    if (length < ATTRIBUTE_HEADER || length > left) {
      this.malformed = true;
      return false;
    }
    this.type = this.#view.getUint16(at + 2, LITTLE) & ATTRIBUTE_TYPE_MASK;
    this.offset = at + ATTRIBUTE_HEADER;
    this.length = length - ATTRIBUTE_HEADER;
    this.#at = Math.min(at + padded(length), this.#end);
    return true;
  }
}
