// Nanoseconds of a clock to the times of RFC 7011 section 6.1, exactly and without 64-bit integers.
import { IoamctlError } from "../../errors.ts";
import type { AbstractDataType } from "../elements/data-type.ts";
import { CLOCK_MILLISECONDS, CLOCK_REMAINDER } from "./context-array.ts";
import type { Definitions, Halves } from "./definitions.ts";

/** Seconds from the NTP era (1900) to the Unix epoch. */
const NTP_OFFSET = 2208988800;

/**
 * Defines the halves of a time of that type, from nanoseconds in two halves; times in seconds are in
 * the low half alone.
 *
 * 2^32 ns are 4294 ms and 967296 ns, so ms = high × 4294 + ⌊(high × 967296 + low) / 10^6⌋: every
 * intermediate value stays below 2^53, and a quotient below 2^32 is never within rounding distance
 * of the integer above it, so doubles give the exact result.
 */
export function compileTime(
  definitions: Definitions,
  { high, low }: Halves,
  type: AbstractDataType,
): Halves {
  const define = (prefix: string, expression: string): string =>
    definitions.define(`${prefix}_${low}_${type}`, expression);
  const clock = definitions.define("clock", `context[${CLOCK_MILLISECONDS}]`);
  const remainder = definitions.define("remainder", `context[${CLOCK_REMAINDER}]`);
  const seconds4294 = define("th", `${high} >>> 0`);
  // What does not depend on the low half first: it is ready while that is still being converted.
  const rest = define("tr", `${seconds4294} * 967296 + ${remainder} + (${low} >>> 0)`);
  const whole = define("tw", `Math.floor(${rest} / 1000000)`);
  const ms = define("tm", `${seconds4294} * 4294 + ${clock} + ${whole}`);
  if (type === "dateTimeMilliseconds") {
    // "| 0" is the remainder modulo 2^32, and rounds towards 0; the product by 2^-32 is exact.
    return { high: define("ti", `${ms} * ${2 ** -32} | 0`), low: define("tl", `${ms} | 0`) };
  }
  const seconds = define("ts", `Math.floor(${ms} / 1000)`);
  if (type === "dateTimeSeconds") {
    return { high: "0", low: define("tl", `${seconds} | 0`) };
  }
  if (type !== "dateTimeMicroseconds" && type !== "dateTimeNanoseconds") {
    throw new IoamctlError("SOURCE_INVALID", `a time cannot be sent as ${type}`);
  }
  const nanoseconds = define(
    "tn",
    `(${ms} - ${seconds} * 1000) * 1000000 + (${rest} - ${whole} * 1000000)`,
  );
  // Rounded up, so that who rounds down what he reads gets the same micro- or nanosecond.
  const fraction =
    type === "dateTimeNanoseconds"
      ? // ns × 2^32 / 10^9 = ns × 2^23 / 5^9
        `Math.ceil(${nanoseconds} * 8388608 / 1953125) | 0`
      : // The lowest 11 bits of 32 are zero: µs × 2^21 / 10^6 = µs × 2^15 / 5^6
        `Math.ceil(Math.floor(${nanoseconds} / 1000) * 32768 / 15625) << 11`;
  return { high: define("ti", `${seconds} + ${NTP_OFFSET} | 0`), low: define("tf", fraction) };
}
