// Templates of the configuration, exported by the agent and read by somebody else's decoder.
import { afterAll, beforeAll, expect, test } from "vitest";
import { ioamElements } from "../../src/ipfix/index.ts";
import { collector } from "../lab/collector.ts";
import { ipfixDump } from "../lab/ipfixdump.ts";
import { CommandLab } from "./command-lab.ts";

const NUMBERS = { ioam: 64_000, own: 64_001 };

let commands: CommandLab;
beforeAll(async () => {
  commands = await CommandLab.start();
});
afterAll(() => commands?.close());

test("ids, order and lengths are those of the configuration, and so are enterprise numbers", async () => {
  await using receiver = await collector();
  const file = await commands.configure(`
interfaces: [{ name: in0, netns: ROUTER }]
meter: { activeTimeout: 100ms, maxFlows: 64 }
collectors: [{ address: "${receiver.target}" }]
templates:
  flow: { id: 1024, elements: [packetDeltaCount(2), ioamTraceType(4), ipVersion, ioamFlowId] }
enterpriseNumbers: { ioam: ${NUMBERS.ioam}, own: ${NUMBERS.own} }
`);
  const running = await commands.agent("-c", file);
  await commands.send(7);
  expect((await running.stop()).code).toBe(0);

  const sender = await receiver.sender();
  const { records, values, warnings } = await ipfixDump(sender.file, {
    elements: ioamElements(NUMBERS),
  });
  expect(warnings).toEqual([]);
  const read = records.map(({ template }, i) => ({ template, values: values[i] }));
  expect(read.filter(({ template }) => template < 500 || template > 599)).toEqual([
    {
      template: 1024,
      values: [
        ["packetDeltaCount", "1"],
        ["ioamTraceType", String(0xf00000)],
        ["ipVersion", "6"],
        ["ioamFlowId", "7"],
      ],
    },
  ]);
});
