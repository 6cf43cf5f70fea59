// The agent's options records, beside flows of an observation domain of their own: other people's decoders
// read each value, and collectors that do not care for them take the flows as if they were not there.
import { afterEach, describe, expect, it } from "vitest";
import { configOf } from "../../src/agent/config/schema.ts";
import { agentOptions } from "../../src/agent/options/agent-options.ts";
import { LossCounts } from "../../src/agent/options/loss-counts.ts";
import { flowTemplates } from "../../src/agent/templates/flow-template.ts";
import {
  compileEncoder,
  ElementRegistry,
  ExportingProcess,
  ioamElements,
  udpDestination,
} from "../../src/ipfix/index.ts";
import { Collector } from "../lab/collector.ts";
import { type DecodedRecord, ipfixDump } from "../lab/ipfixdump.ts";
import { Nfacctd } from "../lab/nfacctd.ts";
import { Nfcapd } from "../lab/nfcapd.ts";
import { tshark } from "../lab/tshark.ts";
import { flowRecordLayout } from "../unit/ipfix/records-layout.ts";
import { FLOW_CASES, flowContext, flowTable } from "./flow-records.ts";

const registry = new ElementRegistry(ioamElements());
const layout = flowRecordLayout();
const templates = flowTemplates(registry);
const BEGAN = Date.parse("2026-11-21T00:00:00.250Z");
const HOST = "127.0.0.1";

const loss = new LossCounts();
loss.add({ records: 3, packets: 40, octets: 5000 }, BEGAN + 1000);
loss.add({ records: 1, packets: 2, octets: 300 }, BEGAN + 2500);

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});

/** Sends flows, options before and after; resolves to the number of messages. */
async function send(port: number, options: object = {}): Promise<number> {
  const config = configOf({
    observationDomainId: 42,
    interfaces: [{ name: "eth1" }],
    collectors: [{ address: `${HOST}:${port}` }],
    options: { flowKeys: "1h", ...options },
  });
  const session: ExportingProcess = new ExportingProcess({
    destination: udpDestination({ host: HOST, port }),
    observationDomainId: 42,
    encoders: templates.map((template) => compileEncoder(template, layout)),
    mtu: 1400,
    options: agentOptions(config, {
      registry,
      flowTemplates: templates,
      began: BEGAN,
      exportingProcessId: 4321,
      exported: () => ({ messages: 11, records: 22, octets: 33_000 }),
      notSent: () => loss,
      ignored: () => loss,
      interfaces: () => [
        { index: 1, name: "lo" },
        { index: 7, name: "fifteen-octets-", description: "to the core" },
        { index: 8, name: "eth8", description: "ü" },
      ],
    }),
    onOptionsError: (error) => {
      throw error;
    },
  });
  closing.push(session);
  const { buffer, offsets } = flowTable(layout, FLOW_CASES);
  const kinds = FLOW_CASES.map(({ kind }) => kind);
  for (let i = 0; i < ROUNDS; i++) {
    await session.export(buffer, offsets, FLOW_CASES.length, kinds, flowContext);
    if (i === 0) await session.sendTemplates();
  }
  return session.counters.messages;
}

const ROUNDS = 3;

/** What all decoders must find, by template. */
const EXPECTED: Record<number, Record<string, string>[]> = {
  500: [
    {
      observationDomainId: "42",
      systemInitTimeMilliseconds: "2026-11-21 00:00:00.250",
      exportedMessageTotalCount: "11",
      exportedFlowRecordTotalCount: "22",
      exportedOctetTotalCount: "33000",
    },
  ],
  501: [
    {
      observationDomainId: "42",
      systemInitTimeMilliseconds: "2026-11-21 00:00:00.250",
      ignoredPacketTotalCount: "42",
      ignoredOctetTotalCount: "5300",
      observationTimeMilliseconds: "2026-11-21 00:00:01.250, 2026-11-21 00:00:02.750",
    },
  ],
  502: [
    {
      exportingProcessId: "4321",
      systemInitTimeMilliseconds: "2026-11-21 00:00:00.250",
      notSentFlowTotalCount: "4",
      notSentPacketTotalCount: "42",
      notSentOctetTotalCount: "5300",
      observationTimeMilliseconds: "2026-11-21 00:00:01.250, 2026-11-21 00:00:02.750",
    },
  ],
  503: [256, 257, 258].map((id) => ({
    templateId: String(id),
    flowKeyIndicator: keysOf(id),
  })),
  504: [
    { ingressInterface: "1", interfaceName: "lo" },
    { ingressInterface: "7", interfaceName: "fifteen-octets-" },
    { ingressInterface: "8", interfaceName: "eth8" },
  ],
  505: [
    {
      interfaceName: "fifteen-octets-",
      ingressInterface: "7",
      interfaceDescription: "to the core",
    },
    { interfaceName: "eth8", ingressInterface: "8", interfaceDescription: "ü" },
  ],
};

/** The places of the keys, counted by hand in the table of docs/ipfix.md. */
function keysOf(template: number): string {
  const places =
    template === 256
      ? [2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 19, 21, 22, 23]
      : [2, 3, 6, 7, 8, 11, 12, 13, 14, 15, 21, 23, 24, 25];
  return String(places.reduce((bits, place) => bits + 2 ** place, 0));
}

describe("options records", () => {
  async function received(): Promise<string> {
    const collector = await Collector.start({ address: HOST });
    closing.push(collector);
    return (await collector.sender(await send(collector.port))).file;
  }

  it("are read by ipfixDump, which learns the elements of enterprises from them", async () => {
    const { records, warnings } = await ipfixDump(await received(), { rfc5610: true });
    expect(warnings).toEqual([]);
    for (const [id, expected] of Object.entries(EXPECTED)) {
      expect(fieldsOf(records, Number(id)).slice(0, expected.length)).toEqual(expected);
    }
    // By name, although the type information is of another observation domain.
    expect(fieldsOf(records, 256)[0]).toMatchObject({ ioamFlowId: String(0xabcdef) });
    expect(fieldsOf(records, 256)).toHaveLength(2 * ROUNDS);
  });

  it("are read by tshark, without a warning", async () => {
    const { records, warnings } = await tshark(await received());
    expect(warnings).toEqual([]);
    for (const [id, expected] of Object.entries(EXPECTED)) {
      const found = records.filter(({ template }) => template === Number(id));
      for (const [i, record] of expected.entries()) {
        // Of an element that is there twice tshark's JSON has neither value.
        const { observationTimeMilliseconds: _, ...rest } = record;
        const read = Object.keys(rest).map((name) => [
          name,
          readByTshark(found[i]!.fields[TSHARK[name]!]!),
        ]);
        expect(Object.fromEntries(read)).toEqual(rest);
      }
    }
  });
});

const TSHARK: Record<string, string> = {
  observationDomainId: "cflow.od_id",
  systemInitTimeMilliseconds: "cflow.sys_init_time",
  exportedMessageTotalCount: "cflow.packetsexp",
  exportedFlowRecordTotalCount: "cflow.flowsexp",
  exportedOctetTotalCount: "cflow.octetsexp",
  ignoredPacketTotalCount: "cflow.ignore_packets",
  ignoredOctetTotalCount: "cflow.ignore_octets",
  exportingProcessId: "cflow.flow_exporter",
  notSentFlowTotalCount: "cflow.notsent_flows",
  notSentPacketTotalCount: "cflow.notsent_packets",
  notSentOctetTotalCount: "cflow.notsent_octets",
  templateId: "cflow.template_id",
  flowKeyIndicator: "cflow.post_key",
  ingressInterface: "cflow.inputint",
  interfaceName: "cflow.if_name",
  interfaceDescription: "cflow.if_descr",
};

/** A value as ipfixDump writes it. */
function readByTshark(text: string): string {
  if (/^([0-9a-f]{2}:){7}[0-9a-f]{2}$/.test(text)) {
    return String(BigInt(`0x${text.replaceAll(":", "")}`));
  }
  if (!text.endsWith(" UTC")) return text;
  const time = new Date(text.replace(/0{6} UTC$/, " UTC"));
  return time.toISOString().replace("T", " ").slice(0, -1);
}

function fieldsOf(records: readonly DecodedRecord[], id: number): Record<string, string>[] {
  return records.filter(({ template }) => template === id).map(({ fields }) => fields);
}

describe("collectors of flows", () => {
  it("nfcapd counts no sequence error, and says nothing of options, but flow keys", async () => {
    const nfcapd = await Nfcapd.start();
    await send(nfcapd.port, { flowKeys: "off" });
    const { flows, sequenceErrors, badPackets, log } = await nfcapd.stop();
    expect(flows).toHaveLength(ROUNDS * FLOW_CASES.length);
    expect({ sequenceErrors, badPackets }).toEqual({ sequenceErrors: 0, badPackets: 0 });
    expect(log).not.toMatch(/option|extra bytes/i);
  });

  it("nfacctd complains of none", async () => {
    const nfacctd = await Nfacctd.start();
    await send(nfacctd.port);
    const { flows, complaints } = await nfacctd.stop();
    expect(complaints).toEqual([]);
    expect(flows.length).toBeGreaterThan(0);
  });
});
