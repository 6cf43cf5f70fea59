// What people write on the command line, and what becomes of it.
import { Command, InvalidArgumentError } from "commander";
import { describe, expect, it } from "vitest";
import { parseCollector } from "../../../src/cli/collector-option.ts";
import { addFilterOptions, filterFrom } from "../../../src/cli/filter-options.ts";
import { interfacesOption, wholeNumber } from "../../../src/cli/options.ts";
import { PROTOCOL_NAMES, protocolName, protocolNumber } from "../../../src/cli/protocol.ts";

describe("whole numbers", () => {
  const parse = wholeNumber(0, 0xffff);
  it.each([
    ["0", 0],
    ["65535", 65535],
    ["0x7b", 123],
    ["0XFFFF", 65535],
    ["007", 7],
  ])("%s", (text, value) => {
    expect(parse(text)).toBe(value);
  });
  it.each(["", "-1", "1.5", "1e3", "65536", "0x", "0x10000", " 1", "abc", "٣"])(
    "not %s",
    (text) => {
      expect(() => parse(text)).toThrow(InvalidArgumentError);
    },
  );
});

describe("collectors", () => {
  it.each([
    ["[2001:db8::1]:4739", "udp", "[2001:db8::1]:4739"],
    ["udp://192.0.2.1:4739", "udp", "192.0.2.1:4739"],
    ["tcp://[2001:db8::1]:4739", "tcp", "[2001:db8::1]:4739"],
    ["tcp://collector.example:9995", "tcp", "collector.example:9995"],
  ])("%s is %s to %s", (text, transport, address) => {
    expect(parseCollector(text)).toEqual({ transport, address });
  });
  it.each([
    "",
    "tcp://",
    "tcp:192.0.2.1:1",
    "tls://a:1",
    "sctp://a:1",
    "tcp://udp://a:1",
    "tcp://a",
  ])("not %s", (text) => {
    expect(() => parseCollector(text)).toThrow(InvalidArgumentError);
  });
});

describe("protocols", () => {
  it.each([
    ["udp", 17],
    ["UDP", 17],
    ["tcp", 6],
    ["icmp6", 58],
    ["icmpv6", 58],
    ["ipv6-icmp", 58],
    ["sctp", 132],
    ["0", 0],
    ["255", 255],
  ])("%s is %i", (text, number) => {
    expect(protocolNumber(text)).toBe(number);
  });
  it.each(["", "256", "-1", "0x11", "constructor", "bogus"])("not %s", (text) => {
    expect(protocolNumber(text)).toBeUndefined();
  });
  it("have a name that stands for the same number", () => {
    for (const name of PROTOCOL_NAMES) expect(protocolName(protocolNumber(name)!)).toBe(name);
    expect(protocolName(253)).toBe("253");
  });
});

describe("options", () => {
  const parse = (build: (command: Command) => Command, line: string) =>
    build(new Command().exitOverride()).parse(line.split(" "), { from: "user" }).opts();

  it("become a filter in the meter's words", () => {
    const line =
      "-n eth1 --namespace 0x7b --flow-id 0xabcdef --src fd00:1::/64 --dst 10.1.2.3 --proto udp --sport 1 --dport 0x35";
    expect(filterFrom(parse(addFilterOptions, line))).toEqual({
      interfaceName: "eth1",
      namespace: 123,
      flowId: 0xabcdef,
      source: "fd00:1::/64",
      destination: "10.1.2.3/32",
      protocol: 17,
      sourcePort: 1,
      destinationPort: 53,
    });
    expect(filterFrom({})).toEqual({});
  });

  it("name several interfaces, each once", () => {
    const add = (command: Command) => command.addOption(interfacesOption("which"));
    expect(parse(add, "-n a b -n c a").interface).toEqual(["a", "b", "c"]);
  });
});
