// The time between the timestamps of two nodes (RFC 9197, 5), as RFC 9951 exports it.
import type { TimestampFormat } from "./timestamp.ts";

/** Fractions that there are, and how many of them are a microsecond. */
const FRACTIONS: Readonly<Record<TimestampFormat, { limit: number; perMicrosecond: number }>> = {
  posix: { limit: 1e6, perMicrosecond: 1 },
  ptp: { limit: 1e9, perMicrosecond: 1000 },
  // All ones are not available.
  ntp: { limit: 2 ** 32 - 1, perMicrosecond: 2 ** 32 / 1e6 },
};
const ONES = 2 ** 32 - 1;

/**
 * Microseconds from a first timestamp to a last one, rounded down; below 0 when the clocks of the
 * nodes are not synchronised. NaN when one of them is not available, or no time of that format. The
 * four halves are 32 bits without sign. Times are less than 68 years apart, also across an era of
 * NTP.
 */
export function pathDelayMicroseconds(
  firstSeconds: number,
  firstFraction: number,
  lastSeconds: number,
  lastFraction: number,
  format: TimestampFormat,
): number {
  const { limit, perMicrosecond } = FRACTIONS[format];
  if (firstFraction >= limit || lastFraction >= limit) return Number.NaN;
  if (firstSeconds === ONES || lastSeconds === ONES) return Number.NaN;
  const seconds = (lastSeconds - firstSeconds) | 0;
  return seconds * 1e6 + Math.floor((lastFraction - firstFraction) / perMicrosecond);
}
