// Templates from a configuration: every element that flows offer, in another order and in other lengths.
import { afterEach, describe, expect, it } from "vitest";
import { configOf } from "../../src/agent/config/schema.ts";
import { FLOW_GROUP, flowTemplates } from "../../src/agent/templates/flow-template.ts";
import {
  compileEncoder,
  ElementRegistry,
  ExportingProcess,
  ioamElements,
  type Template,
  udpDestination,
} from "../../src/ipfix/index.ts";
import { Collector } from "../lab/collector.ts";
import { ipfixDump } from "../lab/ipfixdump.ts";
import { Nfacctd } from "../lab/nfacctd.ts";
import { Nfcapd } from "../lab/nfcapd.ts";
import { addressText } from "../lab/octets.ts";
import { tshark } from "../lab/tshark.ts";
import { flowRecordLayout } from "../unit/ipfix/records-layout.ts";
import { IANA_ELEMENTS } from "./flow-elements.ts";
import {
  FLOW_CASES,
  type FlowCase,
  flowContext,
  flowTable,
  furtherValues,
} from "./flow-records.ts";

const NUMBERS = { ioam: 64_000, own: 64_001 };
const HOST = "127.0.0.1";
const layout = flowRecordLayout();

/** What the cases' values fit into; where they do not, the encoder's tests say what is sent. */
const LENGTHS: Record<string, number> = {
  flowLabelIPv6: 3,
  ingressInterface: 4,
  observationPointId: 1,
  octetDeltaCount: 8,
  ioamTraceType: 4,
  ioamNodeId: 4,
  ioamLostPacketCount: 2,
  ioamReorderedPacketCount: 5,
};

const config = configOf({
  interfaces: [{ name: "eth1" }],
  outputs: [{ console: {} }],
  enterpriseNumbers: NUMBERS,
  templates: {
    flow: {
      id: 1024,
      elements: FLOW_GROUP.elements
        .map(({ name }) => (name in LENGTHS ? `${name}(${LENGTHS[name]})` : name))
        .reverse(),
    },
  },
});
const elements = ioamElements(NUMBERS);
const registry = new ElementRegistry(elements);
const templates = flowTemplates(registry, config.templates.flow);

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});

async function send(port: number, all: readonly Template[] = templates): Promise<number> {
  const session = new ExportingProcess({
    destination: udpDestination({ host: HOST, port }),
    observationDomainId: 42,
    encoders: all.map((template) => compileEncoder(template, layout)),
    mtu: 1400,
  });
  closing.push(session);
  const { buffer, offsets } = flowTable(layout, FLOW_CASES);
  const kinds = FLOW_CASES.map(({ kind }) => kind);
  await session.export(buffer, offsets, FLOW_CASES.length, kinds, flowContext);
  return session.counters.messages;
}

/** By template the cases, in the order in which they are sent. */
const byTemplate = templates.map((template, kind): [Template, FlowCase[]] => [
  template,
  FLOW_CASES.filter((flow) => flow.kind === kind),
]);

async function received(all?: readonly Template[]): Promise<string> {
  const collector = await Collector.start({ address: HOST });
  closing.push(collector);
  return (await collector.sender(await send(collector.port, all))).file;
}

/** Every value of a record, by element; times in their own unit since 1970. */
function valuesOf(flow: FlowCase, { fields }: Template): [string, bigint | string][] {
  const values = { ...flow.expected, ...furtherValues(flow) };
  return fields.map(({ element: { name } }) => [name, values[name]!]);
}

describe("a configured template", () => {
  it("has the order, the lengths and the enterprise numbers of the configuration", () => {
    const [template] = templates;
    const names = template!.fields.map(({ element }) => element.name);
    const offered = FLOW_GROUP.elements.filter(({ fields }) => fields[0] !== undefined);
    expect(names).toEqual(offered.map(({ name }) => name).reverse());
    for (const { element, length } of template!.fields) {
      expect(length).toBe(LENGTHS[element.name] ?? element.length);
    }
    const enterprises = new Set(template!.fields.map(({ element }) => element.enterprise));
    expect([...enterprises].sort()).toEqual([0, NUMBERS.ioam, NUMBERS.own]);
  });

  it("is read by ipfixDump, value by value", async () => {
    const { records, warnings } = await ipfixDump(await received(), { elements });
    expect(warnings).toEqual([]);
    for (const [template, flows] of byTemplate) {
      const found = records.filter((record) => record.template === template.id);
      expect(found.map(({ fields }) => fields)).toEqual(
        flows.map((flow) =>
          Object.fromEntries(
            valuesOf(flow, template).map(([name, value]) => [name, printed(name, value)]),
          ),
        ),
      );
    }
  });

  it("is read by tshark, value by value, without a warning", async () => {
    const { records, warnings } = await tshark(await received());
    expect(warnings).toEqual([]);
    for (const [template, flows] of byTemplate) {
      const found = records.filter((record) => record.template === template.id);
      expect(found).toHaveLength(flows.length);
      for (const [i, flow] of flows.entries()) {
        const { fields, enterprise } = found[i]!;
        for (const [name, value] of valuesOf(flow, template)) {
          // Times in several units have one field name.
          const field = isTime(name) ? undefined : TSHARK[name];
          if (field === undefined) continue;
          const read = fields[field]!;
          const wanted = typeof value === "string" ? printed(name, value) : value;
          expect(typeof wanted === "string" ? read : BigInt(read)).toBe(wanted);
        }
        expect(enterprise).toEqual(enterpriseOctets(flow, template));
      }
    }
  });

  it.each(["Seconds", "Milliseconds", "Microseconds", "Nanoseconds"])(
    "has times in %s, which tshark reads with their fractions",
    async (unit) => {
      const names = [`flowStart${unit}`, `flowEnd${unit}`, "packetDeltaCount"];
      const list = { id: 1024, elements: names.map((name) => ({ name })) };
      const { records } = await tshark(await received(flowTemplates(registry, list)));
      expect(records).toHaveLength(FLOW_CASES.length);
      const perSecond = UNITS[unit]!;
      for (const { fields } of records) {
        const values = { ...FLOW_CASES[0]!.expected, ...furtherValues(FLOW_CASES[0]!) };
        for (const [i, end] of ["start", "end"].entries()) {
          const [, text, digits] = /^(.*)\.(\d{9}) UTC$/.exec(fields[`cflow.abstime${end}`]!)!;
          const time = BigInt(Date.parse(`${text} UTC`)) * 1_000_000n + BigInt(digits!);
          const length = 1_000_000_000n / perSecond;
          const wanted = (values[names[i]!] as bigint) * length;
          // Within the unit; its arithmetic with binary fractions may be off by a nanosecond.
          expect(time).toBeGreaterThanOrEqual(wanted - 1n);
          expect(time).toBeLessThan(wanted + length + 1n);
        }
      }
    },
  );

  it("is read by nfcapd and nfacctd", async () => {
    const nfcapd = await Nfcapd.start();
    await send(nfcapd.port);
    const stored = await nfcapd.stop();
    expect(stored.flows).toHaveLength(FLOW_CASES.length);
    expect([stored.sequenceErrors, stored.badPackets]).toEqual([0, 0]);
    const nfacctd = await Nfacctd.start();
    await send(nfacctd.port);
    const { complaints, flows } = await nfacctd.stop();
    expect(complaints).toEqual([]);
    expect(flows.length).toBeGreaterThan(0);
  });
});

const TSHARK: Record<string, string> = {
  ...IANA_ELEMENTS,
  ipVersion: "cflow.ip_version",
  ipDiffServCodePoint: "cflow.ip_dscp",
  ipPrecedence: "cflow.ip_precedence",
  observationPointId: "cflow.observation_point_id",
  dot1qVlanId: "cflow.dot1q_vlan_id",
};

const isTime = (name: string): boolean => /^flow(Start|End)/.test(name);

/** The octets of the elements of enterprises, as tshark shows them. */
function enterpriseOctets(flow: FlowCase, template: Template): string[] {
  const values = new Map(valuesOf(flow, template));
  return template.fields
    .filter(({ element }) => element.enterprise !== 0)
    .map(({ element: { name }, length }) => {
      const value = values.get(name)!;
      if (typeof value === "string") return value;
      const digits = BigInt.asUintN(8 * length, value).toString(16);
      return digits.padStart(2 * length, "0");
    });
}

const UNITS: Record<string, bigint> = {
  Seconds: 1n,
  Milliseconds: 1000n,
  Microseconds: 1_000_000n,
  Nanoseconds: 1_000_000_000n,
};

/** As ipfixDump writes it, which has the fractions of NTP timestamps as zeros. */
function printed(name: string, value: bigint | string): string {
  if (typeof value === "string") return addressText(Buffer.from(value, "hex"));
  const unit = /^flow(?:Start|End)(\w+)$/.exec(name)?.[1] ?? "";
  if (!(unit in UNITS)) return String(value);
  const seconds = new Date(Number(value / UNITS[unit]!) * 1000).toISOString();
  const text = seconds.replace("T", " ").slice(0, 19);
  if (unit === "Seconds") return text;
  if (unit === "Milliseconds") return `${text}.${String(value % 1000n).padStart(3, "0")}`;
  return `${text}.${unit === "Microseconds" ? "000000" : "000000000"}`;
}
