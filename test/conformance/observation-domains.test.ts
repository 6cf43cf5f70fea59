// One agent for two nodes of a path, each an observation domain: what collectors tell apart by it.
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Meter } from "../../src/meter/index.ts";
import { startAgent } from "../lab/agent.ts";
import { type Collector, collector } from "../lab/collector.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { messages } from "../lab/ipfix-messages.ts";
import { type DecodedRecord, ipfixDump } from "../lab/ipfixdump.ts";
import { Nfacctd, type NfacctdResult } from "../lab/nfacctd.ts";
import { Nfcapd, type NfcapdResult } from "../lab/nfcapd.ts";
import { packetOctets } from "../lab/packet.ts";
import { type RouterLab, router } from "../lab/router.ts";
import { station } from "../lab/station.ts";
import { runTshark } from "../lab/tshark.ts";
import { Decoder } from "./decoder.ts";

const ROUTER = 10;
const SINK = 4_000_000_020;
const FLOWS = 5;
const STATISTICS = 500;
const RELIABILITY = 501;
const NAMES = 504;

let lab: RouterLab;
let receiver: Collector;
let file: string;
let nfcapd: NfcapdResult;
let nfacctd: NfacctdResult;
let log: string;

beforeAll(async () => {
  lab = await router();
  receiver = await collector();
  const [first, second] = [await Nfcapd.start(), await Nfacctd.start()];
  const names = [lab.router.name, lab.sink.name] as const;
  try {
    const agent = await startAgent(
      JSON.stringify({
        observationDomainId: 3,
        observationDomains: { [names[0]]: ROUTER, [names[1]]: SINK },
        interfaces: [
          { name: "in0", netns: names[0] },
          { name: "snk0", netns: names[1] },
        ],
        meter: { maxFlows: 64, activeTimeout: "100ms" },
        collectors: [receiver, first, second].map(({ target }) => ({ address: target })),
        options: { meteringStatistics: "1s", meteringReliability: "1s", flowKeys: "off" },
      }),
    );
    try {
      await sendAndAwait(names);
    } finally {
      await agent.stop();
      log = agent.process.errors;
    }
  } finally {
    [nfcapd, nfacctd] = await Promise.all([first.stop(), second.stop()]);
  }
  file = (await receiver.sender()).file;
});

afterAll(async () => {
  await receiver?.close();
  await lab?.close();
});

/** Five flows that pass the router on their way to the sink, and a packet that makes no sense. */
async function sendAndAwait(names: readonly string[]): Promise<void> {
  const sender = station(lab.source);
  const packets = Array.from({ length: FLOWS }, (_, i) =>
    packetOctets(dexPacket({ flowId: i + 1, sequence: 1 })),
  );
  // Too short for its flags; and the router is the last to see it.
  const malformed = packetOctets(dexPacket({ length: 10, hopLimit: 1 }));
  await sender.send("src0", ...packets, malformed);
  const meters = names.map((name) => Meter.open(name)!);
  try {
    await eventually("both nodes have exported every flow", () =>
      meters.every((meter) => meter.counters().exportedRecords === BigInt(FLOWS)),
    );
  } finally {
    for (const meter of meters) meter.close();
  }
  await eventually("both have told so", async () => {
    const records = await optionsRecords(STATISTICS);
    const done = records.filter((one) => one.exportedFlowRecordTotalCount === String(FLOWS));
    return new Set(done.map((one) => one.observationDomainId)).size === 2;
  });
  await eventually("and what they ignored", async () => {
    const records = await optionsRecords(RELIABILITY);
    return records.some((one) => one.ignoredPacketTotalCount === "1");
  });
}

async function optionsRecords(template: number): Promise<DecodedRecord["fields"][]> {
  const { records } = await ipfixDump((await receiver.sender()).file);
  return records.filter((one) => one.template === template).map(({ fields }) => fields);
}

it("the agent and the collectors have nothing to complain about", async () => {
  expect(log).not.toMatch(/"level":"(warn|error|fatal)"/);
  expect((await ipfixDump(file)).warnings).toEqual([]);
  expect(nfcapd).toMatchObject({ sequenceErrors: 0, badPackets: 0 });
  expect(nfcapd.packets).toBe(2 * FLOWS);
  expect(nfacctd.complaints).toEqual([]);
});

it("each node's flows are in its domain, without a gap in any", async () => {
  const decoder = new Decoder();
  const flows: Record<number, number> = {};
  for (const { octets } of messages(await readFile(file))) {
    const { domain, records } = decoder.decode(octets);
    const data = records.filter(({ template }) => template.scopeFieldCount === 0);
    flows[domain] = (flows[domain] ?? 0) + data.length;
  }
  expect(decoder.gaps).toBe(0);
  // Options are in domain 0; nothing is from elsewhere, which has domain 3.
  expect(flows).toEqual({ 0: 0, 3: 0, [ROUTER]: FLOWS, [SINK]: FLOWS });
});

it("tshark reads the domains as they were configured", async () => {
  // Those of the headers, and those that options are about.
  const ids = await runTshark(file, "fields", "-e", "cflow.od_id");
  expect(new Set(ids.trim().split(/[\s,]+/))).toEqual(new Set(["0", "3", `${ROUTER}`, `${SINK}`]));
});

it("statistics are of each by itself", async () => {
  const last = async (template: number, domain: number) =>
    (await optionsRecords(template)).findLast((one) => one.observationDomainId === `${domain}`);
  for (const [domain, flows, ignored] of [
    [3, 0, 0],
    [ROUTER, FLOWS, 1],
    [SINK, FLOWS, 0],
  ] as const) {
    expect(await last(STATISTICS, domain)).toMatchObject({
      exportedFlowRecordTotalCount: `${flows}`,
    });
    expect(await last(RELIABILITY, domain)).toMatchObject({
      ignoredPacketTotalCount: `${ignored}`,
    });
  }
});

it("interfaces with the same number are told apart", async () => {
  const named = await optionsRecords(NAMES);
  for (const [domain, netns] of [
    [ROUTER, lab.router],
    [SINK, lab.sink],
  ] as const) {
    const links = await netns.ipJson<{ ifindex: number; ifname: string }[]>("link");
    for (const { ifindex, ifname } of links) {
      expect(named).toContainEqual({
        observationDomainId: `${domain}`,
        ingressInterface: `${ifindex}`,
        interfaceName: ifname,
      });
    }
  }
});
