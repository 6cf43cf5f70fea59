// The options records of a running agent: what they say is what happened.
import { afterAll, beforeAll, expect, test } from "vitest";
import { collector } from "../lab/collector.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { type DecodedRecord, ipfixDump } from "../lab/ipfixdump.ts";
import { packetOctets } from "../lab/packet.ts";
import { CommandLab } from "./command-lab.ts";

let commands: CommandLab;
beforeAll(async () => {
  commands = await CommandLab.start();
});
afterAll(() => commands?.close());

/** Unix milliseconds of a time as ipfixDump prints it. */
const time = (text: string): number => Date.parse(`${text.replace(" ", "T")}Z`);

test("what was exported and ignored, by whom, and how interfaces are called", async () => {
  await using receiver = await collector();
  const file = await commands.configure(`
observationDomainId: 42
interfaces: [{ name: in0, netns: ROUTER }]
meter: { activeTimeout: 100ms, maxFlows: 64 }
collectors: [{ address: "${receiver.target}" }]
options: { meteringStatistics: 1s, meteringReliability: 1s, exportingReliability: 1s }
`);
  const before = Date.now();
  const running = await commands.agent("-c", file);
  await commands.send(7, 8);
  // Too short for its flags.
  const malformed = packetOctets(dexPacket({ length: 10 }));
  await commands.sender.send("src0", malformed, malformed, malformed);

  const last = async (template: number, isMeant: (record: DecodedRecord) => boolean) =>
    eventually(
      `a record of template ${template}`,
      async () => {
        const { records } = await ipfixDump((await receiver.sender()).file);
        const record = records.findLast((one) => one.template === template);
        return record !== undefined && isMeant(record) && record.fields;
      },
      { every: 200 },
    );
  const statistics = await last(500, ({ fields }) => fields.exportedFlowRecordTotalCount === "2");
  expect(statistics.observationDomainId).toBe("42");
  expect(Number(statistics.exportedMessageTotalCount)).toBeGreaterThan(1);
  const began = time(statistics.systemInitTimeMilliseconds!);
  expect(began).toBeGreaterThanOrEqual(before);

  const ignored = await last(501, ({ fields }) => fields.ignoredPacketTotalCount === "3");
  const ipOctets = malformed.length - 14;
  expect(ignored.ignoredOctetTotalCount).toBe(String(3 * ipOctets));
  const [first, latest] = ignored.observationTimeMilliseconds!.split(", ").map(time);
  expect(first).toBeGreaterThanOrEqual(began);
  expect(latest).toBeGreaterThanOrEqual(first!);
  expect(latest).toBeLessThanOrEqual(Date.now());

  expect(await last(502, () => true)).toEqual({
    exportingProcessId: String(running.child.pid),
    systemInitTimeMilliseconds: statistics.systemInitTimeMilliseconds,
    notSentFlowTotalCount: "0",
    notSentPacketTotalCount: "0",
    notSentOctetTotalCount: "0",
    observationTimeMilliseconds: "1970-01-01 00:00:00.000, 1970-01-01 00:00:00.000",
  });

  const links = await commands.lab.router.ipJson<{ ifindex: number; ifname: string }[]>("link");
  const { records } = await ipfixDump((await receiver.sender()).file);
  const names = records.filter(({ template }) => template === 504).map(({ fields }) => fields);
  for (const { ifindex, ifname } of links) {
    expect(names).toContainEqual({ ingressInterface: String(ifindex), interfaceName: ifname });
  }
  // Type information goes first, and flow keys are not sent unless asked for.
  expect(records[0]!.template).toBe(506);
  expect(records.map(({ template }) => template)).not.toContain(503);
  expect((await running.stop()).code).toBe(0);
});

test("what a network namespace ignored that is let go of", async () => {
  await using receiver = await collector();
  const text = (interfaces: string) => `
interfaces: [${interfaces}]
meter: { activeTimeout: 1h, maxFlows: 64 }
collectors: [{ address: "${receiver.target}" }]
options: { meteringReliability: 1s }
`;
  const sink = `{ name: snk0, netns: ${commands.lab.sink.name} }`;
  const file = await commands.configure(text(`{ name: in0, netns: ROUTER }, ${sink}`));
  const running = await commands.agent("-c", file);
  await commands.configure(text(sink));
  // Too short for its flags; and the router is the last to see it.
  const malformed = packetOctets(dexPacket({ length: 10, hopLimit: 1 }));
  await commands.sender.send("src0", malformed, malformed);
  await eventually("the meter has seen it", async () => {
    return (await commands.status()).counters.dexMalformed === 2;
  });
  running.child.kill("SIGHUP");
  await running.until(/"msg":"configuration reloaded"/);
  await eventually("it is told of", async () => {
    const { records } = await ipfixDump((await receiver.sender()).file);
    const told = records.findLast(({ template }) => template === 501);
    return told?.fields.ignoredPacketTotalCount === "2";
  });
  expect((await running.stop()).code).toBe(0);
});
