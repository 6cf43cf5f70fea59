// Durations, rates, sizes and endpoints as people write them.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatEndpoint, parseEndpoint } from "../../../src/agent/config/endpoint.ts";
import {
  parseBitRate,
  parseDuration,
  parseRate,
  parseSize,
} from "../../../src/agent/config/quantity.ts";

/** Digits that JavaScript takes for Infinity. */
const ENDLESS = "9".repeat(310);

describe("durations", () => {
  it.each([
    ["10s", 10_000],
    ["500ms", 500],
    ["1.5h", 5_400_000],
    ["2m", 120_000],
    ["2min", 120_000],
    [" 1 d ", 86_400_000],
    ["0s", 0],
  ])("%s is %i ms", (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });
  it.each(["", "10", "s", "-1s", "1e3s", "10 sec", "1h30m", ".5s", "1_0s", "10S", `${ENDLESS}d`])(
    "not %s",
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );
});

describe("rates", () => {
  it.each([
    ["100Mbit/s", 1e8],
    ["1.5 Gbps", 1.5e9],
    ["64kbit", 64_000],
    ["64Kbit/s", 64_000],
    ["9600bit/s", 9600],
    ["12MB/s", 96e6],
    ["1 bits/s", 1],
  ])("%s is %i bit/s", (text, rate) => {
    expect(parseBitRate(text)).toBe(rate);
  });
  it.each(["", "100", "100M", "Mbit/s", "-1bit/s", "100mbit/s", "1Tbit/s", "100Mbit/m"])(
    "not %s",
    (text) => {
      expect(parseBitRate(text)).toBeUndefined();
    },
  );
  it.each(["0bit/s", "0.0 Mbit/s", "0B/s", "0.4bit/s", `${ENDLESS}Gbit/s`])(
    "not %s, at which nothing can be sent, or anything",
    (text) => {
      expect(parseBitRate(text)).toBeUndefined();
    },
  );
});

describe("rates of records", () => {
  it.each([
    ["10/s", 10],
    ["1.5 / s", 1.5],
    ["30/min", 0.5],
    ["1/h", 1 / 3600],
  ])("%s is %d a second", (text, rate) => {
    expect(parseRate(text)).toBeCloseTo(rate, 12);
  });
  it.each(["", "10", "/s", "0/s", "-1/s", "10/d", "10/sec", `${ENDLESS}/s`])("not %s", (text) => {
    expect(parseRate(text)).toBeUndefined();
  });
});

describe("sizes", () => {
  it.each([
    ["100MB", 1e8],
    ["1.5 GiB", 1_610_612_736],
    ["64KiB", 65_536],
    ["64kiB", 65_536],
    ["64kB", 64_000],
    ["64KB", 64_000],
    ["2TB", 2e12],
    [" 131072 B ", 131_072],
  ])("%s is %i octets", (text, octets) => {
    expect(parseSize(text)).toBe(octets);
  });
  it.each(["", "100", "100M", "MB", "-1MB", "100mb", "1PB", "100Mbit", "1iB", "9999999TB"])(
    "not %s",
    (text) => {
      expect(parseSize(text)).toBeUndefined();
    },
  );
});

describe("endpoints", () => {
  it.each([
    ["[2001:db8::1]:4739", "2001:db8::1", 4739],
    ["[fe80::1%eth0]:1", "fe80::1%eth0", 1],
    // The zones of VLANs and of many bridges.
    ["[fe80::1%eth0.100]:1", "fe80::1%eth0.100", 1],
    ["[fe80::1%br-lan]:1", "fe80::1%br-lan", 1],
    ["192.0.2.1:65535", "192.0.2.1", 65535],
    ["collector.example:4739", "collector.example", 4739],
    ["my_host-1:4739", "my_host-1", 4739],
    ["localhost.:4739", "localhost.", 4739],
  ])("%s", (text, host, port) => {
    expect(parseEndpoint(text)).toEqual({ host, port });
    expect(formatEndpoint({ host, port })).toBe(text);
  });
  it.each([
    "",
    "4739",
    ":4739",
    "192.0.2.1",
    "192.0.2.1:0",
    "192.0.2.1:65536",
    "192.0.2:4739",
    "192.0.2.256:4739",
    "2001:db8::1:4739",
    "[2001:db8::1]",
    "[192.0.2.1]:4739",
    "[x]:4739",
    "a b:4739",
    "-a:4739",
    "a..b:4739",
    "udp://a:4739",
  ])("not %s", (text) => {
    expect(parseEndpoint(text)).toBeUndefined();
  });
  it("of any address can be read back", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.ipV4(), fc.ipV6()),
        fc.integer({ min: 1, max: 65535 }),
        (host, port) => {
          expect(parseEndpoint(formatEndpoint({ host, port }))).toEqual({ host, port });
        },
      ),
    );
  });
});
