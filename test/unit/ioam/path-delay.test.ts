// The time between two timestamps, in every format, against exact integers.
import { describe, expect, it } from "vitest";
import { pathDelayMicroseconds, TIMESTAMP_FORMATS } from "../../../src/ioam/index.ts";
import { randomNumbers } from "../../lab/random.ts";

const random = randomNumbers(0x9951);
const PER_SECOND = { posix: 10n ** 6n, ptp: 10n ** 9n, ntp: 2n ** 32n };
const ONES = 2 ** 32 - 1;

describe.each(TIMESTAMP_FORMATS)("%s", (format) => {
  const per = PER_SECOND[format];
  const below = Number(per < 2n ** 32n ? per : 2n ** 32n - 1n);

  it("is exact", () => {
    for (let i = 0; i < 2000; i++) {
      const first = [random(ONES), random(below)] as const;
      const span = random(3) === 0 ? 2 : 2 ** 22;
      const last = [(first[0] + random(span) - random(span)) >>> 0, random(below)] as const;
      if (last[0] === ONES) continue;
      const seconds = BigInt.asIntN(32, BigInt(last[0] - first[0]));
      const units = seconds * per + BigInt(last[1] - first[1]);
      const scaled = units * 10n ** 6n;
      const floor = scaled / per - (scaled % per < 0n ? 1n : 0n);
      expect(pathDelayMicroseconds(...first, ...last, format)).toBe(Number(floor));
    }
  });

  it("is none where one of the times is none", () => {
    for (let i = 0; i < 4; i++) {
      const times: [number, number, number, number] = [5, 5, 6, 6];
      times[i] = ONES;
      expect(pathDelayMicroseconds(...times, format)).toBeNaN();
    }
    const limit = below;
    expect(pathDelayMicroseconds(5, limit, 6, 6, format)).toBeNaN();
    expect(pathDelayMicroseconds(5, limit - 1, 6, 6, format)).not.toBeNaN();
  });
});

it("NTP's eras follow each other", () => {
  expect(pathDelayMicroseconds(ONES - 1, 0, 1, 0, "ntp")).toBe(3e6);
});
