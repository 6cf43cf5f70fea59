// Data records from JavaScript values: octets as the RFCs have them, and what is refused.
import { describe, expect, it } from "vitest";
import {
  type AbstractDataType,
  type DataRecord,
  ElementRegistry,
  encodeRecord,
  type InformationElement,
  type ListSemantic,
  Template,
  VARIABLE_LENGTH,
  type Value,
} from "../../../src/ipfix/index.ts";

const registry = new ElementRegistry();

function own(type: AbstractDataType, length: number): InformationElement {
  const rest = { semantics: "default", units: undefined, status: "current" } as const;
  return { name: "own", id: 7, enterprise: 32473, type, length, ...rest };
}

const hex = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");

function encoded(type: AbstractDataType, length: number, value: Value): string {
  return hex(
    encodeRecord(new Template(256, [{ element: own(type, length), length }]), { own: value }),
  );
}

const named = (...names: string[]): Template =>
  new Template(
    300,
    names.map((name) => ({ element: registry.get(name) })),
  );

describe("a value", () => {
  it.each<[AbstractDataType, number, Value, string]>([
    ["unsigned8", 1, 255, "ff"],
    ["unsigned16", 2, 0x1234, "1234"],
    ["unsigned32", 3, 0xfedcba, "fedcba"],
    ["unsigned32", 4, 0xffff_ffff, "ffffffff"],
    ["unsigned64", 8, 2n ** 64n - 1n, "ffffffffffffffff"],
    ["unsigned64", 8, 2 ** 53 - 1, "001fffffffffffff"],
    ["unsigned64", 5, 0x0102030405, "0102030405"],
    ["unsigned64", 1, 7n, "07"],
    ["unsigned256", 32, 2n ** 256n - 2n, `${"ff".repeat(31)}fe`],
    ["unsigned256", 9, 1, "000000000000000001"],
    ["signed8", 1, -128, "80"],
    ["signed16", 2, -2, "fffe"],
    ["signed32", 3, -1, "ffffff"],
    ["signed64", 8, -(2n ** 63n), "8000000000000000"],
    ["signed64", 5, -256, "ffffffff00"],
    ["float32", 4, 1.5, "3fc00000"],
    ["float32", 4, Number.NEGATIVE_INFINITY, "ff800000"],
    ["float64", 8, -0.1, "bfb999999999999a"],
    ["float64", 4, 1.5, "3fc00000"],
    ["boolean", 1, true, "01"],
    ["boolean", 1, false, "02"],
    ["macAddress", 6, "02:00:5E:10:00:ff", "02005e1000ff"],
    ["macAddress", 6, "02-00-5e-10-00-01", "02005e100001"],
    ["macAddress", 6, Uint8Array.of(1, 2, 3, 4, 5, 6), "010203040506"],
    ["ipv4Address", 4, "192.0.2.1", "c0000201"],
    ["ipv4Address", 4, Uint8Array.of(192, 0, 2, 1), "c0000201"],
    ["ipv6Address", 16, "2001:db8::1", "20010db8000000000000000000000001"],
    ["ipv6Address", 16, "::ffff:192.0.2.1", "00000000000000000000ffffc0000201"],
    ["ipv6Address", 16, "::192.0.2.1", "000000000000000000000000c0000201"],
    ["ipv6Address", 16, "64:ff9b::192.0.2.1", "0064ff9b0000000000000000c0000201"],
    ["ipv6Address", 16, "1::2:192.0.2.1", "000100000000000000000002c0000201"],
    ["string", 6, "eth0", "657468300000"],
    ["string", 5, "häß", "68c3a4c39f"],
    ["string", VARIABLE_LENGTH, "", "00"],
    ["string", VARIABLE_LENGTH, "ü€", "05c3bce282ac"],
    ["string", VARIABLE_LENGTH, "x".repeat(254), `fe${"78".repeat(254)}`],
    ["string", VARIABLE_LENGTH, "x".repeat(255), `ff00ff${"78".repeat(255)}`],
    ["octetArray", 3, Uint8Array.of(1, 2, 3), "010203"],
    ["octetArray", VARIABLE_LENGTH, Uint8Array.of(1, 2, 3), "03010203"],
    ["octetArray", VARIABLE_LENGTH, new Uint8Array(256), `ff0100${"00".repeat(256)}`],
    ["dateTimeSeconds", 4, new Date("2024-07-03T09:46:40.999Z"), "66851e00"],
    ["dateTimeSeconds", 4, 2 ** 32 - 1, "ffffffff"],
    ["dateTimeMilliseconds", 8, new Date(1_720_000_000_123), "0000019077fd307b"],
    // Seconds since 1900, then fractions of 2^-32 s; microseconds leave the lowest 11 bits zero.
    ["dateTimeMicroseconds", 8, 500_000, "83aa7e8080000000"],
    ["dateTimeMicroseconds", 8, 1, "83aa7e8000001800"],
    ["dateTimeNanoseconds", 8, 1, "83aa7e8000000005"],
    ["dateTimeNanoseconds", 8, new Date(0), "83aa7e8000000000"],
    ["dateTimeNanoseconds", 8, 1_720_000_000_750_000_000n, "ea2f9c80c0000000"],
    // The era that begins on 7 February 2036, and the last second before it.
    ["dateTimeNanoseconds", 8, new Date("2036-02-07T06:28:15Z"), "ffffffff00000000"],
    ["dateTimeMicroseconds", 8, new Date("2036-02-07T06:28:16.5Z"), "0000000080000000"],
  ])("%s of %i octets: %s", (type, length, value, octets) => {
    expect(encoded(type, length, value)).toBe(octets);
  });
});

describe("what does not fit", () => {
  it.each<[AbstractDataType, number, unknown, string]>([
    ["unsigned8", 1, 256, "256 does not fit: give a whole number from 0 to 255"],
    ["unsigned64", 8, -1, "give a whole number from 0 to 18446744073709551615"],
    ["unsigned64", 3, 2 ** 24, "give a whole number from 0 to 16777215"],
    ["unsigned64", 8, 2 ** 53, "9007199254740992 does not fit: beyond 2^53 a number is not exact"],
    ["unsigned64", 8, 1.5, "1.5 does not fit"],
    ["unsigned64", 8, "1", "'1' does not fit"],
    ["unsigned64", 8, Number.NaN, "NaN does not fit"],
    ["unsigned256", 32, 2n ** 256n, "give a whole number from 0 to 1157920892"],
    ["signed8", 1, 128, "give a whole number from -128 to 127"],
    ["signed64", 2, -32769n, "-32769n does not fit: give a whole number from -32768 to 32767"],
    ["float64", 8, 1n, "1n does not fit: give a number"],
    ["float64", 4, 1e300, "beyond a float of 4 octets"],
    ["boolean", 1, 1, "give true or false"],
    ["macAddress", 6, "02:00:5e:10:00", "give a MAC address such as 02:00:5e:10:00:01"],
    ["ipv4Address", 4, "192.0.2", "give an IPv4 address such as 192.0.2.1"],
    ["ipv4Address", 4, "192.0.2.256", "give an IPv4 address"],
    ["ipv4Address", 4, "::1", "give an IPv4 address"],
    ["ipv6Address", 16, "192.0.2.1", "give an IPv6 address such as 2001:db8::1"],
    ["ipv6Address", 16, "fe80::1%eth0", "give an IPv6 address"],
    ["ipv6Address", 16, "::ffff:0x1.2.3.4", "give an IPv6 address"],
    ["ipv6Address", 16, "::ffff:010.2.3.4", "give an IPv6 address"],
    ["ipv6Address", 16, new Uint8Array(4), "or 16 octets"],
    ["string", 4, "häß", "the field has 4 octets, in UTF-8 it takes 5"],
    ["string", VARIABLE_LENGTH, "\ud800", "half a character"],
    ["string", VARIABLE_LENGTH, 5, "5 does not fit: give a string"],
    ["string", VARIABLE_LENGTH, "x".repeat(65513), "more than the 65515 octets"],
    ["octetArray", 3, new Uint8Array(2), "the field has 3 octets, not 2"],
    ["octetArray", VARIABLE_LENGTH, "00", "give a Uint8Array"],
    ["dateTimeSeconds", 4, 2 ** 32, "from 0 to 4294967295 seconds after 1970 began"],
    ["dateTimeSeconds", 4, new Date(-1), "after 1970 began"],
    ["dateTimeMilliseconds", 8, new Date(Number.NaN), "Invalid Date does not fit: give a Date"],
    ["dateTimeMilliseconds", 8, "2024-07-03", "give a Date, or a whole number since 1970"],
    ["dateTimeNanoseconds", 8, 1.72e18, "beyond 2^53: as a bigint"],
    ["dateTimeMicroseconds", 8, 2n ** 32n * 1_000_000n, "microseconds after 1970 began"],
    ["basicList", VARIABLE_LENGTH, [1], "give { element, values }"],
    ["basicList", VARIABLE_LENGTH, { element: { name: "x" }, values: [] }, "give { element"],
    [
      "subTemplateList",
      VARIABLE_LENGTH,
      { template: 256, records: [] },
      "give { template, records",
    ],
    ["subTemplateMultiList", VARIABLE_LENGTH, { lists: [{}] }, "give { lists }"],
  ])("%s of %i octets: %s", (type, length, value, why) => {
    let failure: unknown;
    try {
      encoded(type, length, value as Value);
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ code: "VALUE_INVALID" });
    const { message } = failure as Error;
    expect(message).toContain("template 256: own: ");
    expect(message).toContain(why);
    expect(message).not.toContain("\n");
  });
});

describe("a record", () => {
  const template = named("interfaceName", "octetDeltaCount", "interfaceName", "flowDirection");

  it("has its fields in the template's order, those of variable length anywhere", () => {
    const record = { flowDirection: 1, octetDeltaCount: 258, interfaceName: ["a", "bc"] };
    expect(hex(encodeRecord(template, record))).toBe("0161" + "0000000000000102" + "026263" + "01");
  });

  it.each<[string, unknown, string]>([
    ["is no object", 5, "5 does not fit: give an object of values by element name"],
    ["is an array", [], "[] does not fit: give an object of values"],
    [
      "lacks a value",
      { interfaceName: ["a", "b"], octetDeltaCount: 1 },
      "flowDirection: the record has no value for it",
    ],
    [
      "has a name that the template has not",
      { flowDirektion: 0 },
      "the template has no flowDirektion: give values for interfaceName, octetDeltaCount, flowDirection",
    ],
    [
      "has one value for two fields",
      { interfaceName: "a", octetDeltaCount: 1, flowDirection: 0 },
      "interfaceName: 'a' does not fit: the template has it 2 times",
    ],
    [
      "has three values for two fields",
      { interfaceName: ["a", "b", "c"], octetDeltaCount: 1, flowDirection: 0 },
      "interfaceName: [ 'a', 'b', 'c' ] does not fit: the template has it 2 times",
    ],
  ])("that %s is refused", (_what, record, why) => {
    expect(() => encodeRecord(template, record as DataRecord)).toThrow(`template 300: ${why}`);
  });

  it("does not take a value from the object's prototype", () => {
    const inherited = Object.create({ flowDirection: 1 }) as DataRecord;
    expect(() => encodeRecord(named("flowDirection"), inherited)).toThrow(/no value/);
  });
});

describe("a list", () => {
  const list = (type: AbstractDataType, value: Value): string =>
    encoded(type, VARIABLE_LENGTH, value);

  it.each<[ListSemantic, string]>([
    ["noneOf", "00"],
    ["exactlyOneOf", "01"],
    ["oneOrMoreOf", "02"],
    ["allOf", "03"],
    ["ordered", "04"],
    ["undefined", "ff"],
  ])("says that its elements are %s", (semantic, octet) => {
    const value = { element: registry.get("egressInterface"), values: [1, 4, 8], semantic };
    // Semantic, element 14 of 4 octets, then its values (RFC 6313 section 8.1).
    const content = `${octet}000e0004000000010000000400000008`;
    expect(list("basicList", value)).toBe(`11${content}`);
  });

  it("of values: enterprise number, reduced and variable lengths", () => {
    expect(list("basicList", { element: own("unsigned32", 4), length: 2, values: [1, 2] })).toBe(
      "0d" + "ff8007000200007ed9" + "00010002",
    );
    expect(list("basicList", { element: registry.get("interfaceName"), values: ["", "ab"] })).toBe(
      "09" + "ff0052ffff" + "00026162",
    );
    expect(list("basicList", { element: registry.get("interfaceName"), values: [] })).toBe(
      "05ff0052ffff",
    );
  });

  it("of records", () => {
    const template = named("sourceTransportPort", "interfaceName");
    const records = [
      { sourceTransportPort: 1, interfaceName: "a" },
      { sourceTransportPort: 2, interfaceName: "" },
    ];
    expect(list("subTemplateList", { template, records, semantic: "allOf" })).toBe(
      "0a" + "03012c" + "00010161" + "000200",
    );
    const other = new Template(301, [{ element: registry.get("flowDirection") }]);
    const lists = [
      { template, records },
      { template: other, records: [{ flowDirection: 1 }] },
      { template: other, records: [] },
    ];
    // The length of each part counts its template id and itself.
    expect(list("subTemplateMultiList", { lists, semantic: "ordered" })).toBe(
      "15" + "04" + "012c000b00010161000200" + "012d000501" + "012d0004",
    );
  });

  it("in a list", () => {
    const inner = { element: registry.get("flowDirection"), values: [1] };
    const outer = { element: registry.get("basicList"), values: [inner, inner] };
    expect(list("basicList", outer)).toBe(`13ff0123ffff${"06ff003d000101".repeat(2)}`);
  });

  it("says where in it a value does not fit", () => {
    const template = named("sourceTransportPort");
    const values = [
      { template, records: [{ sourceTransportPort: 1 }, { sourceTransportPort: -1 }] },
    ];
    expect(() => list("basicList", { element: registry.get("subTemplateList"), values })).toThrow(
      "template 256: own: subTemplateList 0: record 1 of template 300: sourceTransportPort: -1 does not fit",
    );
  });

  it("does not contain itself", () => {
    const element = registry.get("basicList");
    const values: Value[] = [];
    values.push({ element, values });
    expect(() => list("basicList", { element, values })).toThrow(/lie in each other/);
  });

  it("has no other length than its own", () => {
    const bad = { element: registry.get("sourceIPv4Address"), length: 3, values: [] };
    expect(() => list("basicList", bad)).toThrow(/cannot be 3 octets long in a list/);
    expect(() => list("basicList", { ...bad, length: 4, semantic: "all" as "allOf" })).toThrow(
      /give as semantic one of noneOf/,
    );
  });
});
