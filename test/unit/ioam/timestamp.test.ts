// Timestamps of RFC 9197, section 5, against times written down by hand.
import { expect, test } from "vitest";
import {
  LINUX_TIMESTAMPS,
  type TimestampFormats,
  timestampFormat,
  timestampNanoseconds,
} from "../../../src/ioam/index.ts";

test.each([
  ["posix", 0x6b00062d, 0x0006daec, 1795163693449260000n],
  ["posix", 1, 999_999, 1_999_999_000n],
  ["posix", 1, 1_000_000, undefined],
  ["ptp", 1_000_000_037, 5, 1_000_000_000_000_000_005n],
  ["ptp", 1, 1_000_000_000, undefined],
  ["ntp", 2_208_988_801, 0x80000000, 1_500_000_000n],
  ["ntp", 3_908_988_800, 0x80000000, 1_700_000_000_500_000_000n],
  ["ntp", 0, 0, BigInt(Date.UTC(2036, 1, 7, 6, 28, 16)) * 1_000_000n],
] as const)("%s %i %i", (format, seconds, fraction, nanoseconds) => {
  expect(timestampNanoseconds(seconds, fraction, format)).toBe(nanoseconds);
});

test("the format is the namespace's", () => {
  const formats: TimestampFormats = { other: "ntp", byNamespace: new Map([[123, "ptp"]]) };
  expect(timestampFormat(formats, 123)).toBe("ptp");
  expect(timestampFormat(formats, 124)).toBe("ntp");
  expect(timestampFormat(LINUX_TIMESTAMPS, 123)).toBe("posix");
});
