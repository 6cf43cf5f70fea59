// The table of flows: its columns, and how it keeps within its width.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { age, flowColumns, TABLE_WIDTH } from "../../../src/cli/flow-table.ts";
import { shortenCount, shortenEndpoint, shortenMiddle } from "../../../src/cli/shorten.ts";
import { tableLines } from "../../../src/cli/table.ts";
import type { Flow } from "../../../src/meter/index.ts";
import { flow } from "./flow.ts";

const NOW = 1_700_000_005_500;
const table = (flows: Flow[], width: number | null = TABLE_WIDTH) => [
  ...tableLines(flowColumns(NOW), flows, width === null ? {} : { width }),
];

describe("a table of flows", () => {
  it("has the columns of the design", () => {
    expect(table([flow()])).toEqual([
      "IFACE  DIR  NS   FLOW-ID   SRC                DST                PROTO  PACKETS  OCTETS  LOST  REORD  AGE",
      "eth1   in   123  0xabcdef  [fd00:1::1]:40000  [fd00:2::1]:53000  udp       1707  186818     0      0   4s",
    ]);
  });

  it("has a dash for what is not known", () => {
    const [, line] = table([
      flow({
        flowDirection: "egress",
        ioamFlowId: undefined,
        sourceTransportPort: undefined,
        destinationTransportPort: undefined,
        protocolIdentifier: 253,
        ioamLostPacketCount: undefined,
        ioamReorderedPacketCount: undefined,
      }),
    ]);
    expect(line?.split(/ +/)).toEqual(
      "eth1 out 123 - fd00:1::1 fd00:2::1 253 1707 186818 - - 4s".split(" "),
    );
  });

  it("writes IPv4 without brackets", () => {
    const tunnelled = flow({
      sourceIPv6Address: undefined,
      destinationIPv6Address: undefined,
      sourceIPv4Address: "192.0.2.1",
      destinationIPv4Address: "198.51.100.7",
    });
    expect(table([tunnelled])[1]).toContain(" 192.0.2.1:40000  198.51.100.7:53000 ");
  });

  it("shortens addresses in the middle, or not at all when it may be wide", () => {
    const long = flow({
      sourceIPv6Address: "2001:db8:1111:2222:3333:4444:5555:6666",
      destinationIPv6Address: "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff",
    });
    const [header, line] = table([long]);
    expect(line).toContain("  [2001:…:5555:6666]:40000  [2001:…:eeee:ffff]:53000  ");
    expect(line?.length).toBeLessThanOrEqual(120);
    expect(header?.length).toBeLessThanOrEqual(120);
    expect(table([long], null)[1]).toContain("[2001:db8:1111:2222:3333:4444:5555:6666]:40000");
  });

  it("fits 120 columns whatever the flows are", () => {
    const any = fc.record({
      interfaceName: fc.string({
        unit: fc.constantFrom("e", "t", "0"),
        minLength: 1,
        maxLength: 15,
      }),
      ioamNamespaceId: fc.nat(0xffff),
      ioamFlowId: fc.nat(0xffff_ffff),
      sourceIPv6Address: fc.ipV6(),
      destinationIPv6Address: fc.ipV6(),
      protocolIdentifier: fc.nat(255),
      packetDeltaCount: fc.bigInt(0n, 2n ** 64n - 1n),
      octetDeltaCount: fc.bigInt(0n, 2n ** 64n - 1n),
      ioamLostPacketCount: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
      ioamReorderedPacketCount: fc.bigInt(0n, 2n ** 64n - 1n),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 5 }), (all) => {
        for (const line of table(all.map(flow))) expect(line.length).toBeLessThanOrEqual(120);
      }),
    );
  });
});

describe("shortening", () => {
  it.each([
    ["[2001:db8:1:2:3:4:5:6]:40000", 30, "[2001:db8:1:2:3:4:5:6]:40000"],
    ["[2001:db8:1:2:3:4:5:6]:40000", 26, "[2001:db8:1:…:4:5:6]:40000"],
    ["[2001:db8:1:2:3:4:5:6]:40000", 17, "[2001:…:6]:40000"],
    ["[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:40000", 17, "[…:ffff]:40000"],
    ["2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", 20, "2001:db8:…:eeee:ffff"],
    ["255.255.255.255:65535", 17, "255.255.…55:65535"],
  ])("endpoint %s in %i columns", (text, width, short) => {
    expect(shortenEndpoint(text, width)).toBe(short);
  });

  it.each([
    ["123456", 6, "123456"],
    ["1234567", 6, "1234k"],
    ["18446744073709551615", 6, "18446P"],
    ["-9223372036854775808", 6, "-9223P"],
  ])("count %s in %i columns", (digits, width, short) => {
    expect(shortenCount(digits, width)).toBe(short);
  });

  it("keeps both ends of a name", () => {
    expect(shortenMiddle("wireguard-site12", 9)).toBe("wire…te12");
    expect(shortenMiddle("eth1", 4)).toBe("eth1");
  });

  it.each([
    [-5, "0s"],
    [59_999, "59s"],
    [60_000, "1m"],
    [3_600_000, "1h"],
    [200_000_000, "2d"],
  ])("age of %i ms", (milliseconds, text) => {
    expect(age(milliseconds)).toBe(text);
  });
});
