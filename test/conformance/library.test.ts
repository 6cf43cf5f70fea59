// The library's export, received over UDP and read by other people's decoders, value by value.
import { afterEach, describe, expect, it } from "vitest";
import { flowTemplates } from "../../src/agent/templates/flow-template.ts";
import {
  compileEncoder,
  ElementRegistry,
  type Encoder,
  type ExportContext,
  ExportingProcess,
  ioamElements,
  openUdp,
  recordLayout,
  Template,
} from "../../src/ipfix/index.ts";
import { Collector } from "../lab/collector.ts";
import { ipfixDump } from "../lab/ipfixdump.ts";
import { addressText } from "../lab/octets.ts";
import { tshark } from "../lab/tshark.ts";
import { destinationOf } from "../unit/ipfix/memory-transport.ts";
import { flowRecordLayout } from "../unit/ipfix/records-layout.ts";
import { FLOW_CASES, type FlowCase, flowContext, flowTable } from "./flow-records.ts";

const elements = ioamElements();
const registry = new ElementRegistry(elements);
const layout = flowRecordLayout();
const encoders = flowTemplates(registry).map((template) => compileEncoder(template, layout));

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});

async function open(
  host: string,
  port: number,
  options: { encoders?: readonly Encoder[] } = {},
): Promise<ExportingProcess> {
  const transport = await openUdp({ host, port });
  const session = new ExportingProcess({
    destination: destinationOf(async () => transport),
    observationDomainId: 42,
    encoders,
    mtu: 1500,
    ...options,
  });
  closing.push(session);
  return session;
}

/** Exports to a collector that keeps the messages, and gives the file of them. */
async function exported(
  host: string,
  session: (port: number) => Promise<ExportingProcess>,
  send: (session: ExportingProcess) => Promise<unknown>,
): Promise<string> {
  const collector = await Collector.start({ address: host });
  closing.push(collector);
  const exporting = await session(collector.port);
  await send(exporting);
  return (await collector.sender(exporting.counters.messages)).file;
}

function sendFlows(session: ExportingProcess, cases: readonly FlowCase[]): Promise<unknown> {
  const { buffer, offsets } = flowTable(layout, cases);
  const kinds = cases.map(({ kind }) => kind);
  return session.export(buffer, offsets, cases.length, kinds, flowContext);
}

const isTime = (name: string): boolean => name.endsWith("Milliseconds");
const isAddress = (name: string): boolean => name.endsWith("Address");

// As ipfixDump writes them; addresses as RFC 5952 has them.
function printed(name: string, value: bigint | string): string {
  if (typeof value === "string") return addressText(Buffer.from(value, "hex"));
  if (isTime(name)) return new Date(Number(value)).toISOString().replace("T", " ").slice(0, -1);
  return String(value);
}

const TSHARK: Record<string, string> = {
  sourceIPv6Address: "cflow.srcaddrv6",
  destinationIPv6Address: "cflow.dstaddrv6",
  sourceIPv4Address: "cflow.srcaddr",
  destinationIPv4Address: "cflow.dstaddr",
  sourceTransportPort: "cflow.srcport",
  destinationTransportPort: "cflow.dstport",
  protocolIdentifier: "cflow.protocol",
  ipClassOfService: "cflow.tos",
  flowLabelIPv6: "cflow.ipv6flowlabel",
  ingressInterface: "cflow.inputint",
  egressInterface: "cflow.outputint",
  flowDirection: "cflow.direction",
  vlanId: "cflow.vlanid",
  dot1qCustomerVlanId: "cflow.dot1q_customer_vlan_id",
  packetDeltaCount: "cflow.packets",
  octetDeltaCount: "cflow.octets",
  minimumTTL: "cflow.ttl_min",
  maximumTTL: "cflow.ttl_max",
  flowEndReason: "cflow.flow_end_reason",
  flowStartMilliseconds: "cflow.abstimestart",
  flowEndMilliseconds: "cflow.abstimeend",
};

describe.each(["127.0.0.1", "::1"])("flow records over %s", (host) => {
  // Several messages of each template, in an order that mixes them.
  const cases = Array.from({ length: 60 }, (_, i) => FLOW_CASES[(i * 7) % FLOW_CASES.length]!);
  // Each template fills messages of its own: the order is kept within a template.
  const byTemplate = [0, 1, 2].map((kind) => cases.filter((flow) => flow.kind === kind));

  it("are read by ipfixDump", async () => {
    const file = await exported(
      host,
      (port) => open(host, port),
      (session) => sendFlows(session, cases),
    );
    const { records, warnings } = await ipfixDump(file, { elements });
    expect(warnings).toEqual([]);
    for (const [kind, flows] of byTemplate.entries()) {
      const { id, fields } = encoders[kind]!.template;
      const own = records.filter(({ template }) => template === id);
      expect(own.map((record) => record.fields)).toEqual(
        flows.map(({ expected }) =>
          Object.fromEntries(
            fields.map(({ element: { name } }) => [name, printed(name, expected[name]!)]),
          ),
        ),
      );
    }
  });

  it("are read by tshark, without a warning", async () => {
    const file = await exported(
      host,
      (port) => open(host, port),
      (session) => sendFlows(session, cases),
    );
    const { records, warnings } = await tshark(file);
    expect(warnings).toEqual([]);
    for (const [kind, flows] of byTemplate.entries()) {
      const { id, fields } = encoders[kind]!.template;
      const own = records.filter(({ template }) => template === id);
      expect(own).toHaveLength(flows.length);
      for (const [i, { expected }] of flows.entries()) {
        const record = own[i]!;
        for (const [name, value] of Object.entries(expected)) {
          const field = TSHARK[name];
          if (field === undefined) continue;
          const read = record.fields[field]!;
          if (isTime(name))
            expect(BigInt(Date.parse(read.replace(/0{6}( UTC)$/, "$1")))).toBe(value);
          else if (isAddress(name)) expect(read).toBe(printed(name, value));
          else expect(BigInt(read)).toBe(value);
        }
        // Elements of enterprises it shows as octets.
        const octets = fields
          .filter(({ element }) => element.enterprise !== 0)
          .map(({ element: { name }, length }) => {
            const value = expected[name]!;
            if (typeof value === "string") return value;
            return BigInt.asUintN(8 * length, value)
              .toString(16)
              .padStart(2 * length, "0");
          });
        expect(record.enterprise).toEqual(octets);
      }
    }
  });
});

describe("elements of each type", () => {
  const types = recordLayout({
    counter: 8,
    small: 4,
    signed: 8,
    double: 8,
    single: 4,
    time: 8,
    flags: 4,
    mac: 6,
    text: 12,
    octets: 5,
  });
  const own = (
    id: number,
    name: string,
    type: "signed64" | "signed8" | "float32" | "macAddress",
  ) => ({
    ...{ id, name, type, enterprise: 32473, length: 8, semantics: "default" as const },
    ...{ units: undefined, status: "current" as const },
  });
  const foreign = [
    own(900, "testSigned", "signed64"),
    own(901, "testSmallSigned", "signed8"),
    own(902, "testSingle", "float32"),
    own(903, "testMac", "macAddress"),
  ];
  const template = new Template(700, [
    {
      element: registry.get("octetDeltaCount"),
      length: 3,
      source: { kind: "unsigned", field: "counter" },
    },
    {
      element: registry.get("octetTotalCount"),
      length: 5,
      source: { kind: "unsigned", field: "counter" },
    },
    { element: registry.get("packetTotalCount"), source: { kind: "unsigned", field: "small" } },
    { element: foreign[0]!, length: 5, source: { kind: "signed", field: "signed" } },
    { element: foreign[1]!, length: 1, source: { kind: "signed", field: "signed" } },
    {
      element: registry.get("samplingProbability"),
      length: 4,
      source: { kind: "float", field: "double" },
    },
    { element: registry.get("absoluteError"), source: { kind: "float", field: "single" } },
    { element: foreign[2]!, length: 4, source: { kind: "float", field: "double" } },
    { element: registry.get("flowStartSeconds"), source: { kind: "time", field: "time" } },
    { element: registry.get("flowStartMilliseconds"), source: { kind: "time", field: "time" } },
    {
      element: registry.get("observationTimeMicroseconds"),
      source: { kind: "time", field: "time" },
    },
    {
      element: registry.get("observationTimeNanoseconds"),
      source: { kind: "time", field: "time" },
    },
    {
      element: registry.get("dataRecordsReliability"),
      source: {
        kind: "select",
        field: "flags",
        mask: 2,
        whenSet: { kind: "constant", value: 1 },
        whenClear: { kind: "constant", value: 2 },
      },
    },
    { element: foreign[3]!, length: 6, source: { kind: "octets", field: "mac" } },
    {
      element: registry.get("interfaceName"),
      length: 12,
      source: { kind: "octets", field: "text" },
    },
    {
      element: registry.get("ipHeaderPacketSection"),
      length: 5,
      source: { kind: "octets", field: "octets" },
    },
  ]);

  const record = new Uint8Array(types.size);
  const view = new DataView(record.buffer);
  const at = (name: string): number => types.fields[name]!.offset;
  view.setBigUint64(at("counter"), 0x0102030405n, true);
  view.setUint32(at("small"), 4_000_000_000, true);
  view.setBigInt64(at("signed"), -1000n, true);
  view.setFloat64(at("double"), 0.25, true);
  view.setFloat32(at("single"), -1.5, true);
  view.setBigUint64(at("time"), 1_720_000_000_123_456_789n, true);
  view.setUint32(at("flags"), 2, true);
  record.set([0x02, 0x42, 0xac, 0x11, 0x00, 0x02], at("mac"));
  record.set(Buffer.from("eth1.100-abc"), at("text"));
  record.set([0x60, 0x00, 0xff, 0x7f, 0x80], at("octets"));

  const context: ExportContext = { clockOffset: 0n };
  const file = () =>
    exported(
      "127.0.0.1",
      (port) => open("127.0.0.1", port, { encoders: [compileEncoder(template, types)] }),
      (session) => session.export(record.buffer, Uint32Array.of(0), 1, [0], context),
    );

  it("are read by ipfixDump, those of reduced size too", async () => {
    const { records, warnings } = await ipfixDump(await file(), { elements: foreign });
    expect(warnings).toEqual([]);
    expect(records[0]?.fields).toMatchObject({
      // Does not fit three octets: the greatest value that does.
      octetDeltaCount: String(0xffffff),
      octetTotalCount: String(0x0102030405),
      packetTotalCount: "4000000000",
      testSigned: "-1000",
      testSmallSigned: "-128",
      samplingProbability: expect.stringMatching(/^0\.250*$/),
      absoluteError: expect.stringMatching(/^-1\.50*$/),
      testSingle: expect.stringMatching(/^0\.250*$/),
      flowStartSeconds: "2024-07-03 09:46:40",
      flowStartMilliseconds: "2024-07-03 09:46:40.123",
      testMac: "02:42:ac:11:00:02",
      interfaceName: "eth1.100-abc",
    });
  });

  it("are read by tshark, fractions of seconds too", async () => {
    const { records, warnings } = await tshark(await file());
    expect(warnings).toEqual([]);
    expect(records[0]).toEqual({
      template: 700,
      fields: {
        "cflow.octets": String(0xffffff),
        "cflow.permanent_octets": String(0x0102030405),
        "cflow.permanent_packets": "4000000000",
        "cflow.sampling_probability": "0.25",
        "cflow.absolute_error": "-1.5",
        // To 2^-21 s, in which 123 456 µs cannot be told exactly.
        "cflow.observation_time_microseconds": "Jul  3, 2024 09:46:40.123456001 UTC",
        "cflow.observation_time_nanoseconds": "Jul  3, 2024 09:46:40.123456789 UTC",
        "cflow.data_records_reliability": "1",
        "cflow.if_name": "eth1.100-abc",
        "cflow.section_header": "60:00:ff:7f:80",
      },
      enterprise: ["fffffffc18", "80", "3e800000", "0242ac110002"],
    });
  });
});
