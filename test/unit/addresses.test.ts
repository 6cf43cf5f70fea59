// Addresses and prefixes as text: read as others read them, and nothing else is.
import { BlockList, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isInPrefix, parsePrefix, prefixText } from "../../src/address-prefix.ts";
import { addressText, parseAddress } from "../../src/address-text.ts";

const group = fc.oneof(fc.constant(0), fc.constant(0xffff), fc.integer({ min: 0, max: 0xffff }));
const groups = fc.array(
  group.map((number) => number.toString(16)),
  { maxLength: 8 },
);

/** IPv6 addresses in every form that there is: :: anywhere or not at all, the end as IPv4 or not. */
const ipv6 = fc
  .tuple(groups, fc.option(groups), fc.option(fc.ipV4()))
  .map(([before, after, end]) => {
    const ending = end === null ? [] : [end];
    if (after === null) return [...before, ...ending].join(":");
    return `${before.join(":")}::${[...after, ...ending].join(":")}`;
  })
  .filter((text) => isIPv6(text));

/** The address as a URL has it, whose parser shortens as RFC 5952 does. */
const asInUrl = (text: string): string => new URL(`http://[${text}]/`).hostname.slice(1, -1);

describe("addresses", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::", "::"],
    ["2001:DB8:0:0::0:1", "2001:db8::1"],
    ["::ffff:192.0.2.1", "::ffff:c000:201"],
    ["::192.0.2.1", "::c000:201"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
  ])("%s is %s", (text, written) => {
    expect(addressText(parseAddress(text)!)).toBe(written);
  });

  it("of IPv6 are those that they are in a URL", () => {
    fc.assert(
      fc.property(ipv6, (text) => {
        const octets = parseAddress(text)!;
        expect(octets).toHaveLength(16);
        expect(addressText(octets)).toBe(asInUrl(text));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    "",
    "10",
    "1.2.3",
    "010.0.0.1",
    "0x7f.1",
    "1.2.3.4.5",
    "fe80::1%eth0",
    "1:2:3",
    "[::1]",
    "a.example",
  ])("not %s", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

describe("prefixes", () => {
  it.each([
    ["2001:db8::/32", "2001:db8::/32"],
    ["2001:0DB8:0:0:0:0:0:1", "2001:db8::1/128"],
    ["::/0", "::/0"],
    ["::192.0.2.0/120", "::c000:200/120"],
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["192.0.2.1", "192.0.2.1/32"],
  ])("%s is %s", (text, written) => {
    expect(prefixText(parsePrefix(text)!)).toBe(written);
  });

  it.each([
    "",
    "10",
    "10.1/8",
    "010.0.0.0/8x",
    "10.0.0.0/33",
    "10.0.0.0/8/8",
    "2001:db8::/129",
    "2001:db8::/-1",
    "2001:db8::/",
    "fe80::1%eth0",
    "example.net",
    "1:2:3",
    "[::1]/128",
  ])("not %s", (text) => {
    expect(parsePrefix(text)).toBeUndefined();
  });

  it("have in them what they have for others", () => {
    const address = fc.oneof(fc.ipV4(), ipv6);
    fc.assert(
      fc.property(address, fc.nat(128), address, fc.nat(128), (base, length, other, bit) => {
        const octets = parseAddress(base)!;
        const bits = 8 * octets.length;
        const kept = Math.min(length, bits);
        const type = bits === 32 ? "ipv4" : "ipv6";
        const list = new BlockList();
        list.addSubnet(addressText(octets), kept, type);
        const prefix = parsePrefix(`${base}/${kept}`)!;
        // One bit away from the base, and anywhere.
        const near = octets.map((octet, i) =>
          i === bit >>> 3 ? octet ^ (0x80 >>> (bit & 7)) : octet,
        );
        expect(isInPrefix(octets, prefix)).toBe(true);
        expect(isInPrefix(near, prefix)).toBe(list.check(addressText(near), type));
        const far = parseAddress(other)!;
        const isIn = far.length === octets.length && list.check(addressText(far), type);
        expect(isInPrefix(far, prefix)).toBe(isIn);
      }),
      { numRuns: 2000 },
    );
  });
});
