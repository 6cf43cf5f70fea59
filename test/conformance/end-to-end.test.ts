// From packets on the interfaces of a router through `ioamctl agent` to other people's collectors, field by field.
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { messageFacts, messages } from "../lab/ipfix-messages.ts";
import {
  NFACCTD_ELEMENTS,
  NFDUMP_ELEMENTS,
  nfacctdValues,
  nfdumpValues,
} from "./collector-values.ts";
import { Decoder } from "./decoder.ts";
import {
  COLLECTORS,
  type ExportRun,
  exportRun,
  messageLimit,
  type RunOptions,
} from "./export-run.ts";
import { type FlowValues, readByIpfixDump, readByTshark } from "./flow-values.ts";
import { forwardedTrips, ingressTrips } from "./routes.ts";
import { differences } from "./trips.ts";

/** The agent was asked to end. */
const FORCED_END = 4;
/** Observation domain of the options records. */
const OPTIONS_DOMAIN = 0;
const NO_NODE_ID = 0xffffff;

const RUNS: (RunOptions & { name: string })[] = [
  {
    name: "ingress of in0 and of tun0, of a node with an id",
    interfaces: [{ name: "in0" }, { name: "tun0", direction: "ingress" }],
    observationDomainId: 0xffff_fffe,
    nodeId: 0xabc123,
    trips: (lab) => ingressTrips(lab, { flowEndReason: FORCED_END, nodeId: 0xabc123 }),
  },
  {
    name: "both directions of every interface, of a node without an id",
    interfaces: ["in0", "out0", "tun0", "in1", "out1"].map((name) => ({ name, direction: "both" })),
    trips: (lab) => forwardedTrips(lab, { flowEndReason: FORCED_END, nodeId: NO_NODE_ID }),
  },
];

describe.each(RUNS)("$name", (options) => {
  let run: ExportRun;
  beforeAll(async () => {
    run = await exportRun(options);
  });
  afterAll(() => run?.close());

  it("the agent ends well and has nothing to complain about", () => {
    expect(run.agentLog).not.toMatch(/"level":"(warn|error|fatal)"/);
    expect(run.exitStatus).toBe(0);
    expect(run.wanted.length).toBeGreaterThan(1000);
  });

  describe.each(COLLECTORS.map((one, i) => ({ ...one, i })))("to $address, mtu $mtu", (to) => {
    it("ipfixDump reads every field as it was sent", async () => {
      const { records, warnings } = await readByIpfixDump(run.senders[to.i].file);
      expect.soft(warnings).toEqual([]);
      expect(differences(records, run.wanted)).toEqual([]);
    });

    it("tshark reads every field as it was sent, and warns of nothing", async () => {
      const { records, warnings } = await readByTshark(run.senders[to.i].file);
      expect.soft(warnings).toEqual([]);
      expect(differences(records, run.wanted)).toEqual([]);
    });

    it("messages are without a gap, and as full as the mtu lets them be", async () => {
      const { file, datagrams } = run.senders[to.i];
      const octets = await readFile(file);
      const facts = messageFacts(octets);
      expect(facts).toMatchObject({
        messages: datagrams,
        records: run.wanted.length,
        gaps: [],
        unknownSets: 0,
      });
      expect(facts.optionsRecords).toBeGreaterThan(0);
      const domains = Array.from(messages(octets), ({ domain }) => domain);
      expect(new Set(domains)).toEqual(new Set([OPTIONS_DOMAIN, options.observationDomainId ?? 1]));
      expectFullMessages(octets, messageLimit(to));
    });
  });

  it("all collectors get the same records", async () => {
    const read = await Promise.all(run.senders.map(({ file }) => readByIpfixDump(file)));
    const [first, ...others] = read.map(({ records }) => records.map(asText).sort());
    for (const other of others) expect(other).toEqual(first);
  });

  it("nfcapd stores every record as it was sent, and reports no error", () => {
    const { nfcapd, wanted } = run;
    expect.soft(nfcapd).toMatchObject({ sequenceErrors: 0, badPackets: 0 });
    expect(nfcapd.log.replaceAll(/(Sequence Errors|Bad Packets): 0/g, "")).not.toMatch(
      /error|warn|unknown|skip|bad|missing/i,
    );
    expect(nfcapd.log).toContain(`Flows: ${wanted.length}, `);
    expect(nfcapd.packets).toBe(sumOf("packetDeltaCount"));
    expect(nfcapd.octets).toBe(sumOf("octetDeltaCount"));
    expect(differences(nfcapd.flows.map(nfdumpValues), wanted, NFDUMP_ELEMENTS)).toEqual([]);
  });

  it("nfacctd takes every record as it was sent, and complains about nothing", () => {
    const { nfacctd, wanted } = run;
    expect.soft(nfacctd.complaints).toEqual([]);
    expect(nfacctd.flows).toHaveLength(wanted.length);
    expect(differences(nfacctd.flows.map(nfacctdValues), wanted, NFACCTD_ELEMENTS)).toEqual([]);
  });

  const sumOf = (name: string): number =>
    run.wanted.reduce((sum, { values }) => sum + Number(values[name]), 0);
});

function asText(values: FlowValues): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .sort()
    .join(", ");
}

/**
 * No message is longer than `limit`, and of each template all but the last have as many records as
 * fit. Options records, of whatever length, only have to keep to the limit.
 */
function expectFullMessages(octets: Uint8Array, limit: number): void {
  const decoder = new Decoder();
  const counts = new Map<number, number[]>();
  const mostOf = new Map<number, number>();
  for (const message of messages(octets)) {
    expect(message.octets.length).toBeLessThanOrEqual(limit);
    const { records, templates } = decoder.decode(message.octets);
    for (const { id, fields, scopeFieldCount } of templates) {
      if (scopeFieldCount > 0) continue;
      const length = fields.reduce((sum, field) => sum + field.length, 0);
      mostOf.set(id, Math.floor((limit - 16 - 4) / length));
    }
    if (records.length === 0 || records[0].template.scopeFieldCount > 0) continue;
    const { id } = records[0].template;
    expect(records.every(({ template }) => template.id === id)).toBe(true);
    counts.set(id, [...(counts.get(id) ?? []), records.length]);
  }
  expect([...counts.keys()].sort()).toEqual([...mostOf.keys()].sort());
  for (const [id, [...ofMessages]] of counts) {
    ofMessages.pop();
    expect(new Set(ofMessages), `template ${id}`).toEqual(
      new Set(ofMessages.length === 0 ? [] : [mostOf.get(id)]),
    );
  }
}
