// From a DEX packet on an interface to a collector, to the packet: the agent rotating every second.
import { expect, test } from "vitest";
import { startAgent } from "../lab/agent.ts";
import { collector } from "../lab/collector.ts";
import { exportedFlows } from "../lab/exported-flows.ts";
import { flowFields } from "../lab/frame.ts";
import { generator } from "../lab/generator.ts";
import type { Anomaly } from "../lab/plan.ts";
import { router } from "../lab/router.ts";
import { sink } from "../lab/sink.ts";

const FLOWS = 10_000;
const PACKETS = 1_000_000;

/** Losses, late packets and duplicates all over the first thousand flows. */
function plan(): Anomaly[] {
  return Array.from({ length: 1000 }, (_, flow): Anomaly[] => {
    const at = 5 + ((flow * 7) % 60);
    return [
      { kind: "lost", flow, sequence: at },
      { kind: "late", flow, sequence: at + 3, by: 1 + (flow % 12) },
      { kind: "duplicate", flow, sequence: at + 20, after: flow % 10 },
    ];
  }).flat();
}

test.each([
  ["each flow on one CPU", false],
  ["packets of one flow on both CPUs", true],
])("1 000 000 packets over 10 000 flows as fast as can be, %s", async (_, spray) => {
  await using lab = await router();
  await using receiver = await collector();
  using gen = generator(lab.source, "src0", { flows: FLOWS, plan: spray ? [] : plan() });
  using far = sink(lab.sink, "snk0", gen, { verify: true });
  const agent = await startAgent(`
observationDomainId: 7
interfaces: [{ name: in0, netns: ${lab.router.name} }]
meter: { maxFlows: 100000, activeTimeout: 1s }
collectors: [{ address: "${receiver.target}", mtu: 1400 }]
`);
  let status: number | null = null;
  try {
    const half = PACKETS / 2;
    await gen.send({ packets: half, cpus: [0, 1], spray });
    // The second half at a pace that lets several rotations fall into it.
    await gen.send({ packets: half, cpus: [1, 0], spray, rate: 200_000 });
    await far.arrived(PACKETS);
  } finally {
    status = await agent.stop();
  }
  expect(agent.process.errors.match(/"level":"(warn|error)"/)).toBeNull();
  expect(status).toBe(0);
  expect(far.mismatches).toBe(0);

  const { file, longest } = await receiver.sender();
  expect(longest).toBeLessThanOrEqual(1400 - 48);
  const exported = await exportedFlows(file);
  expect(exported.gaps).toBe(0);
  expect(exported.flows.size).toBe(FLOWS);
  expect(exported.records).toBeGreaterThan(2 * FLOWS);
  let packets = 0;
  for (let flow = 0; flow < FLOWS; flow++) {
    const { records: _records, ...found } = exported.flows.get(flowFields(gen.frame, flow).flowId)!;
    const arrived = far.flow(flow);
    packets += found.packets;
    const { expected, lost, reordered, duplicates } = gen.facts(flow);
    const wanted = { packets: arrived.packets, octets: arrived.octets, expected, lost, duplicates };
    // Sprayed, which packet of two CPUs comes first is nobody's plan.
    if (spray)
      expect({ ...found, reordered: 0 }, `flow ${flow}`).toEqual({ ...wanted, reordered: 0 });
    else expect(found, `flow ${flow}`).toEqual({ ...wanted, reordered });
  }
  expect(packets).toBe(PACKETS);
});
