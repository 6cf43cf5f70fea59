// Which flows a filter by address has: those of the very address, however it is written.
import { describe, expect, it } from "vitest";
import { flowMatcher } from "../../../src/meter/filter.ts";
import { flow } from "../cli/flow.ts";

const from = (address: string) => flow({ sourceIPv6Address: address });
const fromIPv4 = (address: string) =>
  flow({ sourceIPv6Address: undefined, sourceIPv4Address: address });

describe("a filter by source", () => {
  it.each([
    ["::192.0.2.1", from("::c000:201"), from("::ffff:c000:201")],
    ["::192.0.2.0/120", from("::c000:2ff"), from("::ffff:c000:201")],
    ["::ffff:192.0.2.1", from("::ffff:c000:201"), from("::c000:201")],
    ["2001:DB8::/33", from("2001:db8:7fff::1"), from("2001:db8:8000::1")],
    ["192.0.2.128/25", fromIPv4("192.0.2.200"), fromIPv4("192.0.2.100")],
    ["192.0.2.1", fromIPv4("192.0.2.1"), from("::ffff:c000:201")],
    ["::/0", from("::1"), fromIPv4("192.0.2.1")],
  ])("%s", (source, matching, other) => {
    const matches = flowMatcher({ source });
    expect([matches(matching), matches(other)]).toEqual([true, false]);
  });

  it.each(["", "10", "10.1/8", "0x7f.1", "2001:db8::/129", "fe80::1%eth0", "a.example"])(
    "not %s",
    (source) => {
      expect(() => flowMatcher({ source })).toThrow(
        expect.objectContaining({ code: "BAD_PREFIX" }),
      );
    },
  );
});
