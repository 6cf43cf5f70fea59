// SIGKILL at random moments under load: what is in the table stays there, and the next agent goes on.
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { Meter } from "../../src/meter/index.ts";
import { type RunningAgent, startAgent } from "../lab/agent.ts";
import { collector } from "../lab/collector.ts";
import { addFlows, type ExportedFlow, exportedFlows } from "../lab/exported-flows.ts";
import { flowFields } from "../lab/frame.ts";
import { generator } from "../lab/generator.ts";
import { router } from "../lab/router.ts";
import { sink } from "../lab/sink.ts";

const FLOWS = 20_000;
const KILLS = 10;
/** src/agent/drain.ts: what is handed over before the cursor moves. */
const SLICE = 4096;

test("ten kills lose nothing, and repeat a slice each at most", async () => {
  await using lab = await router();
  await using receiver = await collector();
  using gen = generator(lab.source, "src0", { flows: FLOWS });
  using far = sink(lab.sink, "snk0", gen);
  // Paced so that a drain takes about as long as the interval: most kills fall into one.
  const config = `
interfaces: [{ name: in0, netns: ${lab.router.name} }]
meter: { maxFlows: 65536, activeTimeout: 300ms }
collectors: [{ address: "${receiver.target}", mtu: 1400, maxRate: 80Mbit/s }]
`;
  let agent: RunningAgent | undefined;
  try {
    agent = await startAgent(config);
    for (let kill = 0; kill < KILLS; kill++) {
      const sending = gen.send({ packets: 60_000, cpus: [kill % 2], rate: 100_000 });
      await delay(100 + Math.random() * 500);
      await agent.kill();
      await sending;
      agent = await startAgent(config);
    }
    await far.arrived(KILLS * 60_000);
  } finally {
    expect(await agent?.stop()).toBe(0);
  }
  expect(Meter.open(lab.router.name)).toBeUndefined();

  const flows = new Map<number, ExportedFlow>();
  let records = 0;
  for (const { file } of await receiver.senders()) {
    const session = await exportedFlows(file);
    expect(session.gaps).toBe(0);
    records += session.records;
    addFlows(flows, session.flows);
  }
  let repeated = 0;
  for (let flow = 0; flow < FLOWS; flow++) {
    const sent = far.flow(flow).packets;
    const found = flows.get(flowFields(gen.frame, flow).flowId)?.packets ?? 0;
    expect(found, `flow ${flow}`).toBeGreaterThanOrEqual(sent);
    if (found > sent) repeated++;
  }
  console.log(`${KILLS} kills: ${repeated} of ${records} flow records were sent twice`);
  expect(repeated).toBeLessThanOrEqual(KILLS * SLICE);
});
