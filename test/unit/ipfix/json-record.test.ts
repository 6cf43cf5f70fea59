// Data records as lines of JSON: each type as scripts can read it.
import { describe, expect, it } from "vitest";
import {
  type AbstractDataType,
  ElementRegistry,
  type InformationElement,
  ianaElements,
  jsonRecord,
  Template,
  VARIABLE_LENGTH,
  type Value,
} from "../../../src/ipfix/index.ts";

const registry = new ElementRegistry();

function own(type: AbstractDataType): InformationElement {
  const of = ianaElements().find((element) => element.type === type);
  const lengths: Record<string, number> = { signed8: 1, signed16: 2, signed64: 8, float32: 4 };
  const length = of?.length ?? lengths[type] ?? VARIABLE_LENGTH;
  const rest = { semantics: "default", units: undefined, status: "current" } as const;
  return { name: "own", id: 7, enterprise: 32473, type, length, ...rest };
}

const inner = new Template(300, [{ element: registry.get("sourceTransportPort") }]);
const records = [{ sourceTransportPort: 1 }, { sourceTransportPort: 2 }];

describe("a value in JSON", () => {
  it.each<[AbstractDataType, Value, string]>([
    ["unsigned8", 255, "255"],
    ["unsigned64", 5n, "5"],
    ["unsigned64", 2n ** 53n, "9007199254740992"],
    ["unsigned64", 2n ** 53n + 1n, '"9007199254740993"'],
    ["signed64", -(2n ** 53n) - 1n, '"-9007199254740993"'],
    ["unsigned256", 2n ** 255n, `"${2n ** 255n}"`],
    ["float64", -0.25, "-0.25"],
    ["float32", Number.NaN, '"NaN"'],
    ["float64", Number.NEGATIVE_INFINITY, '"-Infinity"'],
    ["boolean", false, "false"],
    ["string", 'a"\n', '"a\\"\\n"'],
    ["octetArray", Uint8Array.of(0, 255), '"00ff"'],
    ["octetArray", new Uint8Array(), '""'],
    ["macAddress", "02-00-5E-10-00-FF", '"02:00:5e:10:00:ff"'],
    ["macAddress", Uint8Array.of(2, 0, 0x5e, 0x10, 0, 1), '"02:00:5e:10:00:01"'],
    ["ipv4Address", "192.0.2.1", '"192.0.2.1"'],
    ["ipv4Address", Uint8Array.of(192, 0, 2, 1), '"192.0.2.1"'],
    ["ipv6Address", "2001:DB8:0:0::0001", '"2001:db8::1"'],
    ["ipv6Address", "::192.0.2.1", '"::c000:201"'],
    ["ipv6Address", new Uint8Array(16), '"::"'],
    ["dateTimeSeconds", new Date(1_720_000_000_999), "1720000000"],
    ["dateTimeMilliseconds", new Date(1_720_000_000_999), "1720000000999"],
    ["dateTimeMicroseconds", new Date(1_720_000_000_999), "1720000000999000"],
    ["dateTimeNanoseconds", 1_720_000_000_123_456_789n, '"1720000000123456789"'],
    [
      "basicList",
      { element: registry.get("observationTimeNanoseconds"), values: [1, new Date(1)] },
      '{"semantic":"undefined","element":"observationTimeNanoseconds","values":[1,1000000]}',
    ],
    [
      "subTemplateList",
      { template: inner, records, semantic: "allOf" },
      '{"semantic":"allOf","templateId":300,"records":[{"sourceTransportPort":1},{"sourceTransportPort":2}]}',
    ],
    [
      "subTemplateMultiList",
      { lists: [{ template: inner, records: [] }] },
      '{"semantic":"undefined","lists":[{"templateId":300,"records":[]}]}',
    ],
  ])("of type %s: %s", (type, value, json) => {
    const template = new Template(256, [{ element: own(type) }]);
    expect(jsonRecord(template, { own: value })).toBe(`{"own":${json}}`);
  });
});

describe("a record in JSON", () => {
  const template = new Template(
    256,
    ["octetDeltaCount", "interfaceName", "octetDeltaCount"].map((name) => ({
      element: registry.get(name),
    })),
  );

  it("has the template's order, and an array for what is there several times", () => {
    expect(jsonRecord(template, { interfaceName: "eth0", octetDeltaCount: [1, 2n] })).toBe(
      '{"octetDeltaCount":[1,2],"interfaceName":"eth0"}',
    );
  });

  it("is refused where IPFIX would be", () => {
    expect(() => jsonRecord(template, { interfaceName: "eth0", octetDeltaCount: [1, -2] })).toThrow(
      "template 256: octetDeltaCount: -2 does not fit",
    );
  });
});
