// Every template, options and transport: what arrives is read by other people's decoders, value by value.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configOf } from "../../src/agent/config/schema.ts";
import { agentOptions } from "../../src/agent/options/agent-options.ts";
import { LossCounts } from "../../src/agent/options/loss-counts.ts";
import { OPTIONS_TEMPLATE_RANGE } from "../../src/agent/options/template-ids.ts";
import { flowTemplates } from "../../src/agent/templates/flow-template.ts";
import { TRACE_KIND, TRACE_LAYOUT } from "../../src/agent/trace/record-layout.ts";
import { traceTemplates } from "../../src/agent/trace/trace-template.ts";
import {
  compileEncoder,
  type DataRecord,
  ElementRegistry,
  ExportingProcess,
  type InformationElement,
  ioamElements,
  Template,
} from "../../src/ipfix/index.ts";
import { flowRecordLayout } from "../unit/ipfix/records-layout.ts";
import { hex } from "./decoder.ts";
import { FLOW_CASES, flowContext, flowTable } from "./flow-records.ts";
import { expectReadByIpfixDump, expectReadByTshark, type Reading, readings } from "./readings.ts";
import { RECEIVERS, type Receiver } from "./receivers.ts";
import { sampleTraces } from "./trace-samples.ts";

const DOMAIN = 42;

const own = (id: number, name: string, type: InformationElement["type"], length: number) => ({
  ...{ id, name, type, length, enterprise: 32473, semantics: "default" as const },
  ...{ units: undefined, status: "current" as const },
});
const foreign = [
  own(900, "testSigned", "signed64", 8),
  own(901, "testSmallSigned", "signed8", 1),
  own(902, "testSingle", "float32", 4),
  own(903, "testMac", "macAddress", 6),
];
const elements = [...ioamElements(), ...foreign];
const registry = new ElementRegistry(elements);
const named = (...names: string[]) => names.map((name) => ({ element: registry.get(name) }));

const flowLayout = flowRecordLayout();
const encoders = [
  ...flowTemplates(registry).map((template) => compileEncoder(template, flowLayout)),
  ...traceTemplates(registry).map((template) => compileEncoder(template, TRACE_LAYOUT)),
];

/** A field of each abstract data type, some of fewer octets, some of variable length. */
const types = new Template(700, [
  { element: registry.get("octetTotalCount"), length: 5 },
  ...named("packetTotalCount", "testSigned"),
  { element: registry.get("testSigned"), length: 3 },
  ...named("testSmallSigned", "samplingProbability", "testSingle", "dataRecordsReliability"),
  ...named("testMac", "sourceIPv4Address", "sourceIPv6Address", "interfaceName"),
  ...named("observationTimeSeconds", "observationTimeMilliseconds", "observationTimeMicroseconds"),
  ...named("observationTimeNanoseconds", "ipHeaderPacketSection", "protocolIdentifier"),
]);
const VALUES: readonly DataRecord[] = ["eth0", "", "ü".repeat(150)].map((text, i) => ({
  octetTotalCount: 0x0102030405 + i,
  packetTotalCount: 2n ** 64n - 1n,
  testSigned: [-(2n ** 63n), -5],
  testSmallSigned: -128,
  samplingProbability: 0.25,
  testSingle: -1.5,
  dataRecordsReliability: i === 0,
  testMac: "02:42:ac:11:00:02",
  sourceIPv4Address: "192.0.2.1",
  sourceIPv6Address: "2001:db8::1",
  interfaceName: text,
  observationTimeSeconds: 1_720_000_000,
  observationTimeMilliseconds: 1_720_000_000_123n,
  observationTimeMicroseconds: 1_720_000_000_123_456n,
  observationTimeNanoseconds: 1_720_000_000_750_000_000n,
  ipHeaderPacketSection: Uint8Array.from({ length: 5 + 300 * i }, (_, k) => k),
  protocolIdentifier: 17,
}));

/** All that an agent can be told to send. */
const loss = new LossCounts();
loss.add({ records: 3, packets: 40, octets: 5000 }, 1_720_000_000_123);
loss.add({ records: 1, packets: 2, octets: 300 }, 1_720_000_001_456);
const options = agentOptions(
  configOf({
    observationDomainId: DOMAIN,
    interfaces: [{ name: "eth1" }],
    outputs: [{ console: {} }],
    options: { flowKeys: "1h" },
  }),
  {
    registry,
    flowTemplates: flowTemplates(registry),
    began: 1_720_000_000_000,
    exportingProcessId: 4321,
    exported: () => ({ messages: 11, records: 2 ** 40, octets: 33_000 }),
    notSent: () => loss,
    ignored: () => loss,
    interfaces: () => [
      { index: 1, name: "lo" },
      { index: 2, name: "fifteen-octets-", description: "ü" },
    ],
  },
);

/** What ipfixDump does not know by itself. */
const unknown = elements.concat([530, 531, 532, 533].map((id) => registry.find(id)!));

/** Several messages of each template, in an order that mixes them. */
const flows = Array.from({ length: 60 }, (_, i) => FLOW_CASES[(i * 7) % FLOW_CASES.length]!);

async function sendAll(exporting: ExportingProcess): Promise<void> {
  const { buffer, offsets } = flowTable(flowLayout, flows);
  const kinds = flows.map(({ kind }) => kind);
  const results = [
    await exporting.export(buffer, offsets, flows.length, kinds, flowContext),
    await exporting.send(types, VALUES),
  ];
  const traces = sampleTraces();
  const context = { values: { flowEndReason: 0, ioamNodeId: 0 } };
  results.push(
    await exporting.export(traces.buffer, traces.offsets, traces.count, traces.kinds, context),
  );
  for (const { dropped, error } of results) {
    expect(error).toBeUndefined();
    expect(dropped).toHaveLength(0);
  }
}

describe.each(RECEIVERS)("over %s", (_name, start) => {
  let receiver: Receiver | undefined;
  let file: string;
  let expected: Reading[];

  beforeAll(async () => {
    receiver = await start();
    const exporting = await ExportingProcess.open({
      destination: receiver.destination,
      observationDomainId: DOMAIN,
      encoders,
      options,
      mtu: 1500,
    });
    await sendAll(exporting);
    file = await receiver.received(exporting);
    expected = await readings(file, registry);
  });

  afterAll(() => receiver?.close());

  it("every record arrives, those of each template in their order", () => {
    const of = (id: number) => expected.filter(({ template }) => template === id);
    for (const [kind, { template }] of encoders.slice(0, 3).entries()) {
      const sent = flows.filter((flow) => flow.kind === kind);
      expect(of(template.id).map(valuesOf)).toEqual(sent.map((flow) => flow.expected));
    }
    const traces = sampleTraces();
    for (const [i, { template }] of encoders.slice(3).entries()) {
      const sent = Array.from(traces.kinds.subarray(0, traces.count)).filter(
        (kind) => kind === TRACE_KIND.hop + i,
      );
      expect(sent.length).toBeGreaterThan(0);
      expect(of(template.id)).toHaveLength(sent.length);
    }
    expect(of(types.id).map(({ fields }) => Buffer.from(fields[11]!.octets).toString())).toEqual(
      VALUES.map(({ interfaceName }) => interfaceName),
    );
    for (const { template, records } of options) {
      // Over UDP they are told again.
      const told = of(template.id).length;
      expect(told).toBeGreaterThan(0);
      expect(told % Array.from(records()).length).toBe(0);
    }
  });

  it("options come before the data that they are about", () => {
    const data = expected.findIndex(({ template }) => template < OPTIONS_TEMPLATE_RANGE.first);
    for (const { template } of options) {
      const first = expected.findIndex((one) => one.template === template.id);
      expect(first).toBeLessThan(data);
    }
  });

  it("ipfixDump reads every value", async () => {
    await expectReadByIpfixDump(file, expected, unknown);
  });

  it("tshark reads every value, and warns of nothing", async () => {
    await expectReadByTshark(file, expected);
  });
});

/** As in FLOW_CASES: integers, and the digits of addresses. */
function valuesOf({ fields }: Reading): Record<string, bigint | string> {
  return Object.fromEntries(
    fields.map(({ element: { name, type }, octets }) => {
      if (type.endsWith("Address")) return [name, hex(octets)];
      const unsigned = BigInt(`0x${hex(octets)}`);
      const signed = type.startsWith("signed");
      return [name, signed ? BigInt.asIntN(8 * octets.length, unsigned) : unsigned];
    }),
  );
}
