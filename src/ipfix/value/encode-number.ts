// Integers, floats and booleans (RFC 7011 sections 6.1.1 to 6.1.5), in their own or a reduced length.
import type { OctetWriter } from "./octet-writer.ts";
import { unfit } from "./value-error.ts";

/** Writes an integer. Throws VALUE_INVALID for what is none, and for what needs more octets. */
export function encodeInteger(
  writer: OctetWriter,
  value: unknown,
  length: number,
  signed: boolean,
): void {
  writer.integer(integerWithin(value, length, signed), length);
}

/** Writes a float of 4 or 8 octets. Throws VALUE_INVALID for no number, and for one too large. */
export function encodeFloat(writer: OctetWriter, value: unknown, length: number): void {
  if (typeof value !== "number") throw unfit(value, "give a number");
  // What was finite must not arrive as infinite.
  if (length === 4 && Number.isFinite(value) && !Number.isFinite(Math.fround(value))) {
    throw unfit(value, "it is beyond a float of 4 octets");
  }
  writer.float(value, length);
}

/** Writes true as 1 and false as 2. */
export function encodeBoolean(writer: OctetWriter, value: unknown): void {
  if (typeof value !== "boolean") throw unfit(value, "give true or false");
  writer.integer(value ? 1 : 2, 1);
}

/** The value, when it is an integer that fits so many octets. Throws VALUE_INVALID. */
function integerWithin(value: unknown, length: number, signed: boolean): number | bigint {
  const [least, most] = rangeOf(length, signed);
  if (typeof value === "bigint" || Number.isSafeInteger(value)) {
    const integer = value as number | bigint;
    if (integer >= least && integer <= most) return integer;
  } else if (Number.isInteger(value)) {
    throw unfit(value, "beyond 2^53 a number is not exact, give a bigint");
  }
  throw unfit(value, `give a whole number from ${least} to ${most}`);
}

const ranges: (readonly [least: bigint, most: bigint])[] = [];

function rangeOf(length: number, signed: boolean): readonly [least: bigint, most: bigint] {
  const bits = 8 * length - (signed ? 1 : 0);
  const known = ranges[bits];
  if (known !== undefined) return known;
  const most = (1n << BigInt(bits)) - 1n;
  const range = [signed ? -most - 1n : 0n, most] as const;
  ranges[bits] = range;
  return range;
}
