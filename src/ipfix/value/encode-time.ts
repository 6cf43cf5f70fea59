// Times (RFC 7011 sections 6.1.7 to 6.1.10), from a Date or from a count since 1970.
import type { AbstractDataType } from "../elements/data-type.ts";
import type { OctetWriter } from "./octet-writer.ts";
import { unfit } from "./value-error.ts";

/** The types of times. */
export type TimeType = Extract<AbstractDataType, `dateTime${string}`>;

/** Units of each type of time in a second. */
const UNITS_PER_SECOND: Readonly<Record<TimeType, bigint>> = {
  dateTimeSeconds: 1n,
  dateTimeMilliseconds: 1000n,
  dateTimeMicroseconds: 1_000_000n,
  dateTimeNanoseconds: 1_000_000_000n,
};

/** Seconds from the NTP epoch (1900) to that of Unix. */
const NTP_OFFSET = 2_208_988_800n;

/** Lowest bits of an NTP fraction that microseconds must not have set. */
const MICROSECOND_ZEROS = 11n;

/**
 * Writes a time: seconds in 4 octets, milliseconds in 8, micro- and nanoseconds as an NTP timestamp,
 * whose seconds begin anew in 2036. Throws VALUE_INVALID as `timeCount` does.
 */
export function encodeTime(writer: OctetWriter, value: unknown, type: TimeType): void {
  const count = timeCount(value, type);
  if (type === "dateTimeSeconds") writer.integer(count, 4);
  else if (type === "dateTimeMilliseconds") writer.integer(count, 8);
  else writer.integer(ntpTimestamp(count, type), 8);
}

/**
 * A time as a count of the type's units since 1970; what is finer is cut off. Throws VALUE_INVALID
 * for what is no time, or one before 1970 or, but for milliseconds, after February 2106.
 */
export function timeCount(value: unknown, type: TimeType): bigint {
  const perSecond = UNITS_PER_SECOND[type];
  const count = countOf(value, perSecond);
  const limit = type === "dateTimeMilliseconds" ? 1n << 64n : perSecond << 32n;
  if (count >= 0n && count < limit) return count;
  throw unfit(value, `give a time from 0 to ${limit - 1n} ${unitOf(type)} after 1970 began`);
}

function ntpTimestamp(count: bigint, type: TimeType): bigint {
  const perSecond = UNITS_PER_SECOND[type];
  const seconds = count / perSecond + NTP_OFFSET;
  const zeros = type === "dateTimeMicroseconds" ? MICROSECOND_ZEROS : 0n;
  // Rounded up, so that who rounds down what he reads gets the same micro- or nanosecond.
  const fraction = (((count % perSecond) << (32n - zeros)) + perSecond - 1n) / perSecond;
  return BigInt.asUintN(64, (seconds << 32n) | (fraction << zeros));
}

function countOf(value: unknown, perSecond: bigint): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  const milliseconds = value instanceof Date ? timeOf(value) : Number.NaN;
  if (Number.isNaN(milliseconds)) {
    const also = typeof value === "number" ? " (beyond 2^53: as a bigint)" : "";
    throw unfit(value, `give a Date, or a whole number since 1970${also}`);
  }
  const scaled = BigInt(milliseconds) * perSecond;
  // Rounded down also before 1970, so that such a time is not taken for 1970's first.
  return scaled < 0n ? (scaled - 999n) / 1000n : scaled / 1000n;
}

// An object that only looks like a Date has no time, and throws.
function timeOf(date: Date): number {
  try {
    return Date.prototype.getTime.call(date);
  } catch {
    return Number.NaN;
  }
}

function unitOf(type: TimeType): string {
  return type.slice("dateTime".length).toLowerCase();
}
