// The default flow templates on records laid out as bpf/records.h has them.
import { describe, expect, it } from "vitest";
import { flowTemplates } from "../../../src/agent/flow-template.ts";
import { compileEncoder, ElementRegistry, ioamElements } from "../../../src/ipfix/index.ts";
import { flowKind } from "../../../src/meter/flow-kind.ts";
import { hex, signedValue, unsignedValue } from "../../conformance/decoder.ts";
import { FLOW_CASES, flowContext, flowTable } from "../../conformance/flow-records.ts";
import { flowRecordLayout } from "../ipfix/records-layout.ts";

const registry = new ElementRegistry(ioamElements());
const templates = flowTemplates(registry);
const layout = flowRecordLayout();

describe("flow templates", () => {
  it("are told apart by the flags of the key", () => {
    expect([0x00, 0x01, 0x0f, 0x20, 0x21, 0x30, 0x3f].map(flowKind)).toEqual([0, 0, 0, 1, 1, 2, 2]);
  });

  it("take other ids", () => {
    const ids = { ipv6: 400, tunnelledIpv6: 401, tunnelledIpv4: 402 };
    expect(flowTemplates(registry, ids).map(({ id }) => id)).toEqual([400, 401, 402]);
  });

  it("have the elements that the documentation lists", () => {
    expect(
      templates.map(({ fields }) => fields.map(({ element }) => element.name)),
    ).toMatchSnapshot();
  });

  it.each(FLOW_CASES)("export each value of $name", ({ kind, record, expected }) => {
    const { buffer } = flowTable(layout, [{ record }]);
    const template = templates[kind];
    const out = new Uint8Array(template.recordLength);
    const bound = compileEncoder(template, layout).bind(new DataView(out.buffer));
    bound.setContext(flowContext);
    bound.encode(new Int32Array(buffer), 0, 0);
    let at = 0;
    const values: Record<string, string | bigint> = {};
    for (const { element, length } of template.fields) {
      const octets = out.subarray(at, at + length);
      at += length;
      values[element.name] = element.type.endsWith("Address")
        ? hex(octets)
        : element.type === "signed64"
          ? signedValue(octets)
          : unsignedValue(octets);
    }
    expect(values).toEqual(expected);
  });
});
