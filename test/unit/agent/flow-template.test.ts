// The default flow templates on records laid out as bpf/records.h has them.
import { describe, expect, it } from "vitest";
import { FLOW_GROUP, flowTemplates } from "../../../src/agent/templates/flow-template.ts";
import {
  type AbstractDataType,
  compileEncoder,
  ElementRegistry,
  ioamElements,
  type Template,
} from "../../../src/ipfix/index.ts";
import { flowKind } from "../../../src/meter/flow-kind.ts";
import { hex, ntpValue, signedValue, unsignedValue } from "../../conformance/decoder.ts";
import {
  FLOW_CASES,
  type FlowFields,
  flowContext,
  flowTable,
  furtherValues,
} from "../../conformance/flow-records.ts";
import { flowRecordLayout } from "../ipfix/records-layout.ts";

const registry = new ElementRegistry(ioamElements());
const templates = flowTemplates(registry);
const layout = flowRecordLayout();

describe("flow templates", () => {
  it("are told apart by the flags of the key", () => {
    expect([0x00, 0x01, 0x0f, 0x20, 0x21, 0x30, 0x3f].map(flowKind)).toEqual([0, 0, 0, 1, 1, 2, 2]);
  });

  it("take other ids", () => {
    const config = { ...FLOW_GROUP.defaults, id: 400 };
    expect(flowTemplates(registry, config).map(({ id }) => id)).toEqual([400, 401, 402]);
  });

  it("have the elements that the documentation lists", () => {
    expect(
      templates.map(({ fields }) => fields.map(({ element }) => element.name)),
    ).toMatchSnapshot();
  });

  it.each(FLOW_CASES)("export each value of $name", ({ kind, record, expected }) => {
    expect(exported(templates[kind]!, record)).toEqual(expected);
  });

  it.each(FLOW_CASES)("export each further element of $name", (flow) => {
    const expected = furtherValues(flow);
    const names = FLOW_GROUP.elements
      .map(({ name }) => name)
      .filter((name) => FLOW_GROUP.defaults.elements.every((one) => one.name !== name));
    expect(names).toEqual(Object.keys(expected));
    const elements = names.map((name) => ({ name }));
    const template = flowTemplates(registry, { id: 256, elements })[flow.kind]!;
    expect(exported(template, flow.record)).toEqual(expected);
  });

  it("reduce and widen integers", () => {
    const elements = [
      { name: "flowLabelIPv6", length: 3 },
      { name: "ioamTraceType", length: 4 },
      { name: "ioamNodeId", length: 4 },
      { name: "packetDeltaCount", length: 1 },
      { name: "octetDeltaCount", length: 3 },
      { name: "ioamLostPacketCount", length: 2 },
      { name: "destinationTransportPort", length: 1 },
    ];
    const template = flowTemplates(registry, { id: 256, elements })[0]!;
    expect(template.recordLength).toBe(18);
    const record = { ...FLOW_CASES[0]!.record, packets: 300n, lost: -40_000n };
    expect(exported(template, record)).toEqual({
      flowLabelIPv6: 0xf1234n,
      ioamTraceType: 0xf00000n,
      ioamNodeId: 0xabcdefn,
      // The nearest that fits.
      packetDeltaCount: 255n,
      octetDeltaCount: 186_818n,
      ioamLostPacketCount: -32_768n,
      destinationTransportPort: 255n,
    });
  });
});

/** A record as a collector reads it; micro- and nanoseconds since 1970. */
function exported(template: Template, record: FlowFields): Record<string, string | bigint> {
  const { buffer } = flowTable(layout, [{ record }]);
  const out = new Uint8Array(template.recordLength);
  const bound = compileEncoder(template, layout).bind(new DataView(out.buffer));
  bound.setContext(flowContext);
  bound.encode(new Int32Array(buffer), 0, 0);
  let at = 0;
  return Object.fromEntries(
    template.fields.map(({ element, length }) => {
      at += length;
      return [element.name, readValue(element.type, out.subarray(at - length, at))];
    }),
  );
}

function readValue(type: AbstractDataType, octets: Uint8Array): string | bigint {
  if (type.endsWith("Address")) return hex(octets);
  if (type === "signed64") return signedValue(octets);
  if (type === "dateTimeMicroseconds") return (ntpValue(octets) * 1_000_000n) >> 32n;
  if (type === "dateTimeNanoseconds") return (ntpValue(octets) * 1_000_000_000n) >> 32n;
  return unsignedValue(octets);
}
