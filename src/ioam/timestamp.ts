// What seconds and fraction of a node's timestamp mean (RFC 9197, 5): a property of the namespace.

/** Linux writes "posix". */
export const TIMESTAMP_FORMATS = ["posix", "ptp", "ntp"] as const;

/**
 * posix: seconds since 1970 and microseconds (RFC 9197, 5.3). ptp: seconds since 1970 in TAI and
 * nanoseconds (5.1). ntp: seconds since 1900 and units of 2^-32 s (5.2).
 */
export type TimestampFormat = (typeof TIMESTAMP_FORMATS)[number];

/** Seconds that TAI is ahead of UTC, since 2017. */
const TAI_MINUS_UTC = 37;
/** From 1900, where NTP's era 0 begins, to 1970. */
const NTP_TO_UNIX = 2_208_988_800;
const NTP_ERA = 2 ** 32;
/** Seconds below this are of NTP's era 1, which begins in 2036 (RFC 4330, 3). */
const NTP_ERA_0 = 2 ** 31;

/**
 * Nanoseconds since 1970 in UTC; undefined when seconds and fraction are no time of that format.
 * Both are 32 bits without sign.
 */
export function timestampNanoseconds(
  seconds: number,
  fraction: number,
  format: TimestampFormat,
): bigint | undefined {
  switch (format) {
    case "posix":
      return fraction < 1e6
        ? BigInt(seconds) * 1_000_000_000n + BigInt(fraction) * 1000n
        : undefined;
    case "ptp":
      return fraction < 1e9
        ? BigInt(seconds - TAI_MINUS_UTC) * 1_000_000_000n + BigInt(fraction)
        : undefined;
    case "ntp": {
      const era = seconds < NTP_ERA_0 ? NTP_ERA : 0;
      return (
        BigInt(seconds + era - NTP_TO_UNIX) * 1_000_000_000n +
        ((BigInt(fraction) * 1_000_000_000n) >> 32n)
      );
    }
  }
}

/** The format of each namespace. */
export interface TimestampFormats {
  /** Of those that are not listed. */
  other: TimestampFormat;
  byNamespace: ReadonlyMap<number, TimestampFormat>;
}

/** As Linux writes them, in every namespace. */
export const LINUX_TIMESTAMPS: TimestampFormats = { other: "posix", byNamespace: new Map() };

/** The format of one namespace. */
export function timestampFormat(formats: TimestampFormats, namespaceId: number): TimestampFormat {
  return formats.byNamespace.get(namespaceId) ?? formats.other;
}
