// Times in a file of records.
import { describe, expect, it } from "vitest";
import { isRelative, parseTime } from "../../../src/send/time-text.ts";

const NOW = 1_784_721_600_123_456_789n;
const SECOND = 1_000_000_000n;

describe("a time", () => {
  it.each<[string, bigint]>([
    ["now", NOW],
    ["now-10s", NOW - 10n * SECOND],
    [" now + 1.5min ", NOW + 90n * SECOND],
    ["now-500ms", NOW - SECOND / 2n],
    ["2026-07-22T12:00:00Z", 1_784_721_600n * SECOND],
    ["2026-07-22 12:00:00.5Z", 1_784_721_600n * SECOND + SECOND / 2n],
    ["2026-07-22T14:00:00.123456789+02:00", 1_784_721_600_123_456_789n],
    ["2028-02-29T01:00:00+02:00", 1_835_391_600n * SECOND],
    ["1969-12-31T23:59:59.75Z", -SECOND / 4n],
  ])("%j", (text, nanoseconds) => {
    expect(parseTime(text, NOW)).toBe(nanoseconds);
  });

  it.each([
    "",
    "today",
    "now-",
    "now-5",
    "now*2",
    `now-${"9".repeat(310)}d`,
    "nowhere",
    "2026-07-22",
    "2026-07-22T12:00:00",
    "2026-07-22T25:00:00Z",
    "2026-02-29T12:00:00Z",
    "2026-04-31 12:00:00+02:00",
    "2026-07-22T12:00:00.1234567890Z",
  ])("not %j", (text) => {
    expect(parseTime(text, NOW)).toBeUndefined();
  });

  it("of now is another each time", () => {
    expect(["now", "now-1s", "2026-07-22T12:00:00Z"].map(isRelative)).toEqual([true, true, false]);
  });
});
