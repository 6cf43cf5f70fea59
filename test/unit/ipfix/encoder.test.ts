// The compiled encoder: any template of any elements gives its values back.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compileEncoder,
  ElementRegistry,
  type FieldSource,
  recordLayout,
  Template,
} from "../../../src/ipfix/index.ts";
import { anyRecord } from "./any-template.ts";

const registry = new ElementRegistry();

describe("an encoder", () => {
  it("encodes any record, and touches nothing else", () => {
    fc.assert(
      fc.property(anyRecord(), fc.nat(9), fc.nat(5), (test, position, recordNumber) => {
        const { template, layout, record } = test;
        const table = new Uint8Array((recordNumber + 1) * Math.max(8, layout.size)).fill(0xaa);
        table.set(record, recordNumber * layout.size);
        const message = new Uint8Array(position + template.recordLength + 8).fill(0x55);
        const bound = compileEncoder(template, layout).bind(new DataView(message.buffer));
        bound.setContext(test.context);
        bound.encode(new Int32Array(table.buffer), (recordNumber * layout.size) / 4, position);

        let at = position;
        const decoded = template.fields.map(({ length }, i) => {
          at += length;
          return test.read[i](message.subarray(at - length, at));
        });
        expect(decoded).toEqual(test.expected);
        expect(message.subarray(0, position).every((octet) => octet === 0x55)).toBe(true);
        expect(message.subarray(at).every((octet) => octet === 0x55)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  it("keeps records apart that are encoded into several buffers", () => {
    const layout = recordLayout({ octets: 8, packets: 4 });
    const template = new Template(256, [
      { element: registry.get("octetDeltaCount"), source: { kind: "unsigned", field: "octets" } },
      { element: registry.get("packetDeltaCount"), source: { kind: "unsigned", field: "packets" } },
    ]);
    const encoder = compileEncoder(template, layout);
    const views = [new DataView(new ArrayBuffer(16)), new DataView(new ArrayBuffer(16))];
    const words = Int32Array.of(7, 0, 1, 0, 9, 1, 2, 0);
    for (const [i, view] of views.entries()) encoder.bind(view).encode(words, 4 * i, 0);
    expect(views.map((view) => [view.getBigUint64(0), view.getBigUint64(8)])).toEqual([
      [7n, 1n],
      [2n ** 32n + 9n, 2n],
    ]);
  });

  const compile = (source: FieldSource, name = "octetDeltaCount") =>
    compileEncoder(
      new Template(256, [{ element: registry.get(name), source }]),
      recordLayout({ wide: 8, narrow: 2, odd: 3, address: 16 }),
    );

  it.each<[FieldSource, string, RegExp]>([
    [{ kind: "unsigned", field: "absent" }, "octetDeltaCount", /no field absent/],
    [{ kind: "unsigned", field: "odd" }, "octetDeltaCount", /3 octets/],
    [{ kind: "network", field: "address" }, "octetDeltaCount", /16 octets/],
    [{ kind: "octets", field: "narrow" }, "octetDeltaCount", /8 octets.*of 2/],
    [{ kind: "octets", field: "wide", at: 1 }, "octetDeltaCount", /octet 1 of 8/],
    [{ kind: "float", field: "narrow" }, "samplingProbability", /4 or 8/],
    [{ kind: "time", field: "narrow" }, "flowStartMilliseconds", /8 octets/],
    [{ kind: "time", field: "wide" }, "octetDeltaCount", /sent as unsigned64/],
    [{ kind: "bits", field: "wide", shift: 0, mask: 1 }, "octetDeltaCount", /wider than 4/],
    [{ kind: "constant", value: 256 }, "protocolIdentifier", /constant 256/],
    [{ kind: "constant", value: -1 }, "protocolIdentifier", /constant -1/],
  ])("refuses %j", (source, name, message) => {
    expect(() => compile(source, name)).toThrow(message);
    expect(() => compile(source, name)).toThrow(`template 256, ${name}: `);
    expect(() => compile(source, name)).toThrowError(
      expect.objectContaining({ code: "SOURCE_INVALID" }),
    );
  });

  it("refuses a field beyond the record", () => {
    const layout = { size: 8, fields: { wide: { offset: 4, size: 8 } } };
    const template = new Template(256, [
      { element: registry.get("octetDeltaCount"), source: { kind: "unsigned", field: "wide" } },
    ]);
    expect(() => compileEncoder(template, layout)).toThrow(/beyond the record/);
  });

  it.each([undefined, -1, 1.5, 256, 2n ** 70n])("refuses the context value %s", (value) => {
    const encoder = compile({ kind: "context", name: "given" }, "protocolIdentifier");
    const bound = encoder.bind(new DataView(new ArrayBuffer(8)));
    const values = value === undefined ? {} : { given: value };
    expect(() => bound.setContext({ values })).toThrowError(
      expect.objectContaining({ code: "CONTEXT_INVALID" }),
    );
  });

  it("takes times before the clock's epoch of the records, and a negative offset", () => {
    const encoder = compile({ kind: "time", field: "wide" }, "flowStartMilliseconds");
    const view = new DataView(new ArrayBuffer(8));
    const bound = encoder.bind(view);
    const record = new BigUint64Array([1_700_000_000_123_456_789n, 0n]);
    bound.setContext({ clockOffset: -1_456_790n });
    bound.encode(new Int32Array(record.buffer), 0, 0);
    expect(view.getBigUint64(0)).toBe(1_700_000_000_121n);
  });
});
