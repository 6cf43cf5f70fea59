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

  it("of options has a scope field count (RFC 7011 section 3.4.2.2)", () => {
    const fields = [{ element: registry.get("templateId") }, field("flowKeyIndicator", 4)];
    const options = new Template(400, fields, 1);
    expect(Buffer.from(options.record).toString("hex")).toBe(
      ["0190", "0002", "0001", "00910002", "00ad0004"].join(""),
    );
    for (const count of [-1, 3, 0.5, Number.NaN]) {
      expect(() => new Template(400, fields, count)).toThrow(/scope fields/);
    }
  });

  it("is withdrawn by its id and a field count of 0", () => {
    const { withdrawal } = new Template(0x1234, [field("octetDeltaCount")]);
    expect(Buffer.from(withdrawal).toString("hex")).toBe("12340000");
  });

  it("has fields of variable length anywhere, where no source is compiled", () => {
    const fields = ["interfaceName", "basicList", "octetDeltaCount"].map((name) => ({
      element: registry.get(name),
    }));
    const template = new Template(256, fields);
    expect(template).toMatchObject({ isVariable: true, recordLength: 1 + 1 + 8 });
    // An octet array that is declared with a length may vary all the same, a counter never.
    const octets = { ...registry.get("interfaceName"), length: 5 };
    expect(new Template(256, [{ element: octets, length: 65535 }]).isVariable).toBe(true);
    const counter = { ...registry.get("octetDeltaCount"), length: 65535 };
    expect(() => new Template(256, [{ element: counter }])).toThrow(/cannot be 65535 octets long/);
  });

  it.each([{ id: 0x8000 }, { id: -1 }, { enterprise: 2 ** 32 }, { type: "unsigned128" }])(
    "does not take an element with %j",
    (wrong) => {
      const element = { ...registry.get("octetDeltaCount"), ...wrong };
      expect(() => new Template(256, [{ element } as never])).toThrow(/has no element, or one/);
    },
  );

  it("fits a message, and so do its records", () => {
    const names = Array.from({ length: 20_000 }, () => field("octetDeltaCount"));
    expect(() => new Template(256, names)).toThrow(/more than the 65515 octets/);
    const long = [field("interfaceName", 65_000), field("interfaceName", 516)];
    expect(() => new Template(256, long)).toThrow(/more than the 65515 octets/);
  });

  it("wants a length for an element that has none", () => {
    expect(() => new Template(256, [field("interfaceName")])).toThrow(/give its field a length/);
    expect(new Template(256, [field("interfaceName", 16)]).recordLength).toBe(16);
  });
});
