// What the agent exports interval by interval: reasons, counts across intervals, templates sent again.
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { Meter } from "../../src/meter/index.ts";
import { type RunningAgent, startAgent } from "../lab/agent.ts";
import { type Collector, collector } from "../lab/collector.ts";
import { eventually } from "../lab/eventually.ts";
import { messageFacts, messages } from "../lab/ipfix-messages.ts";
import type { SequenceFacts } from "../lab/plan.ts";
import { type RouterLab, router } from "../lab/router.ts";
import { Decoder } from "./decoder.ts";
import { readByIpfixDump, readByTshark } from "./flow-values.ts";
import { in0Route } from "./routes.ts";
import { plannedFlow, type SentFlow } from "./sent-flows.ts";
import { differences, sendTrips, type WantedRecord } from "./trips.ts";

const ACTIVE_TIMEOUT = 2;
const FORCED_END = 4;
const LACK_OF_RESOURCES = 5;
const NO_NODE_ID = 0xffffff;

/** Sends flows to in0, where the agent meters, and says which records they must lead to. */
async function send(
  lab: RouterLab,
  flows: SentFlow[],
  flowEndReason: number,
): Promise<WantedRecord[]> {
  const route = await in0Route(lab, { flowEndReason, nodeId: NO_NODE_ID });
  const meter = Meter.open(lab.router.name)!;
  try {
    const trips = flows.map((flow) => ({ flow, route }));
    return await sendTrips(trips, () => meter.counters().dexPackets);
  } finally {
    meter.close();
  }
}

async function endsWell(agent: RunningAgent): Promise<void> {
  expect(await agent.stop()).toBe(0);
  expect(agent.process.errors).not.toMatch(/"level":"(warn|error|fatal)"/);
}

/** Waits until a collector has so many records. */
async function received(receiver: Collector, records: number): Promise<void> {
  await eventually(`${records} records`, async () => {
    const facts = await receiver.facts();
    const sum = facts.reduce((count, one) => count + one.records, 0);
    if (sum > records) throw new Error(`${sum} records, not ${records}`);
    return sum === records;
  });
}

it("a table that is filling is exported early, what is left at the end", async () => {
  await using lab = await router();
  await using receiver = await collector();
  const agent = await startAgent(`
interfaces: [{ name: in0, netns: ${lab.router.name} }]
meter: { maxFlows: 8, activeTimeout: 1h }
collectors: [{ address: "${receiver.target}" }]
`);
  const wanted: WantedRecord[] = [];
  try {
    const flows = Array.from({ length: 7 }, (_, i) =>
      plannedFlow({ name: `flow ${i}`, count: 1, first: i }, i),
    );
    // Three quarters of the table.
    wanted.push(...(await send(lab, flows.slice(0, 6), LACK_OF_RESOURCES)));
    await received(receiver, 6);
    wanted.push(...(await send(lab, flows.slice(6), FORCED_END)));
  } finally {
    await endsWell(agent);
  }
  const { file } = await receiver.sender();
  for (const read of [readByIpfixDump, readByTshark]) {
    const { records, warnings } = await read(file);
    expect.soft(warnings).toEqual([]);
    expect(differences(records, wanted)).toEqual([]);
  }
});

/** One packet an interval, and what of its flow's sequence is of that interval. */
const INTERVALS: (Partial<SequenceFacts> & { name: string; number: number })[] = [
  { name: "the first packet", number: 10, expected: 1, lost: 0 },
  { name: "two lost before it", number: 13, expected: 3, lost: 2 },
  { name: "one of them comes late", number: 12, expected: 0, lost: -1, reordered: 1 },
  { name: "a duplicate", number: 13, expected: 0, lost: 0, duplicates: 1 },
  { name: "the next packet", number: 14, expected: 1, lost: 0 },
];

it("intervals of one flow add up, and templates are sent again when it is time", async () => {
  await using lab = await router();
  await using refreshed = await collector({ address: "::1" });
  await using usual = await collector({ address: "127.0.0.1" });
  const agent = await startAgent(`
interfaces: [{ name: in0, netns: ${lab.router.name} }]
meter: { activeTimeout: 100ms }
collectors:
  - { address: "${refreshed.target}", templateRefresh: 1s }
  - { address: "${usual.target}" }
`);
  const wanted: WantedRecord[] = [];
  try {
    for (const { name, number, ...facts } of INTERVALS) {
      const flow = plannedFlow({ name, count: 1, first: number }, 1);
      const sequence = { ...flow.sequence!, ...facts };
      wanted.push(...(await send(lab, [{ ...flow, sequence }], ACTIVE_TIMEOUT)));
      await received(refreshed, wanted.length);
    }
    await eventually("templates were sent five times", async () => {
      return (await templateTimes(refreshed)).length >= 5;
    });
  } finally {
    await endsWell(agent);
  }

  for (const receiver of [refreshed, usual]) {
    const { file } = await receiver.sender();
    expect(messageFacts(await readFile(file))).toMatchObject({ gaps: [], unknownSets: 0 });
    for (const read of [readByIpfixDump, readByTshark]) {
      const { records, warnings } = await read(file);
      expect.soft(warnings).toEqual([]);
      expect(records).toHaveLength(wanted.length);
      // All are of one template, which keeps their order.
      for (const [i, one] of wanted.entries()) expect(differences([records[i]], [one])).toEqual([]);
    }
  }
  // Twice at first, as datagrams may be lost; then once a second, or not for ten minutes.
  const times = await templateTimes(refreshed);
  const seconds = times.at(-1)! - times[1];
  expect(seconds).toBeGreaterThanOrEqual(times.length - 2 - 1);
  expect(await templateTimes(usual)).toHaveLength(2);
});

/** Export times, Unix seconds, of the messages with templates of flows, each of which has all of them. */
async function templateTimes(receiver: Collector): Promise<number[]> {
  const senders = await receiver.senders();
  if (senders.length === 0) return [];
  const decoder = new Decoder();
  const times: number[] = [];
  for (const { octets } of messages(await readFile(senders[0].file))) {
    const { templates: all, exportTime } = decoder.decode(octets);
    const templates = all.filter(({ scopeFieldCount }) => scopeFieldCount === 0);
    if (templates.length === 0) continue;
    expect(templates.map(({ id }) => id)).toEqual([256, 257, 258]);
    times.push(exportTime);
  }
  return times;
}
