// Templates: their record on the wire, and what is refused.
import { describe, expect, it } from "vitest";
import {
  ElementRegistry,
  type FieldSource,
  ioamElements,
  Template,
} from "../../../src/ipfix/index.ts";

const registry = new ElementRegistry(ioamElements());
const source: FieldSource = { kind: "constant", value: 0 };
const field = (name: string, length?: number) => ({
  element: registry.get(name),
  source,
  ...(length === undefined ? {} : { length }),
});

describe("a template", () => {
  it("is encoded as RFC 7011 section 3.4.1 has it", () => {
    const template = new Template(256, [
      field("sourceIPv6Address"),
      field("octetDeltaCount", 4),
      field("ioamNodeId"),
      field("ioamTraceType"),
    ]);
    expect(Buffer.from(template.record).toString("hex")).toBe(
      ["0100", "0004", "001b0010", "00010004", "800200030000288f", "8065000300007ed9"].join(""),
    );
    expect(template.recordLength).toBe(16 + 4 + 3 + 3);
  });

  it.each([255, 65536, 256.5])("does not take the id %d", (id) => {
    expect(() => new Template(id, [field("octetDeltaCount")])).toThrow(/256–65535/);
  });

  it("has fields", () => {
    expect(() => new Template(256, [])).toThrow(/no fields/);
  });

  it.each([
    ["sourceIPv6Address", 15],
    ["flowStartMilliseconds", 4],
    ["octetDeltaCount", 9],
    ["octetDeltaCount", 0],
    ["protocolIdentifier", 2],
    ["samplingProbability", 5],
    ["sourceMacAddress", 8],
    ["dataRecordsReliability", 2],
    ["basicList", 10],
  ])("does not take %s in %i octets", (name, length) => {
    expect(() => new Template(256, [field(name, length)])).toThrowError(
      expect.objectContaining({ code: "TEMPLATE_INVALID" }),
    );
  });

  it("wants a length for an element that has none", () => {
    expect(() => new Template(256, [field("interfaceName")])).toThrow(/give its field a length/);
    expect(new Template(256, [field("interfaceName", 16)]).recordLength).toBe(16);
  });
});
