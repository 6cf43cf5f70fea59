// From a DEX packet on an interface to a collector, to the packet: one run of generator, agent and collector.
import { expect } from "vitest";
import { startAgent } from "./agent.ts";
import { collector } from "./collector.ts";
import { exportedFlows } from "./exported-flows.ts";
import { flowFields } from "./frame.ts";
import { generator } from "./generator.ts";
import type { Anomaly } from "./plan.ts";
import { router } from "./router.ts";
import { sink } from "./sink.ts";

export interface ExactnessOptions {
  flows: number;
  packets: number;
  /** Packets of one flow on both CPUs; else each flow changes CPU in the middle. */
  spray: boolean;
  /** Packets a second of the second half. */
  rate: number;
}

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

/**
 * The agent rotates every second; what a collector got is compared, flow by flow, with what an XDP
 * program counted at the sink and with what was planted.
 */
export async function expectExact({
  flows,
  packets,
  spray,
  rate,
}: ExactnessOptions): Promise<void> {
  await using lab = await router();
  await using receiver = await collector();
  using gen = generator(lab.source, "src0", { flows, plan: plan() });
  using far = sink(lab.sink, "snk0", gen, { verify: true });
  const agent = await startAgent(`
observationDomainId: 7
interfaces: [{ name: in0, netns: ${lab.router.name} }]
meter: { maxFlows: ${10 * flows}, activeTimeout: 1s }
collectors: [{ address: "${receiver.target}", mtu: 1400 }]
`);
  let status: number | null = null;
  try {
    const half = packets / 2;
    await gen.send({ packets: half, cpus: [0, 1], spray });
    await far.arrived(half);
    // At a pace that lets several rotations fall into it, and each flow on the other CPU.
    await gen.send({ packets: half, cpus: [1, 0], spray, rate });
    await far.arrived(packets);
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
  expect(exported.flows.size).toBe(flows);
  expect(exported.records).toBeGreaterThan(2 * flows);
  let sum = 0;
  for (let flow = 0; flow < flows; flow++) {
    const { records: _records, ...found } = exported.flows.get(flowFields(gen.frame, flow).flowId)!;
    const arrived = far.flow(flow);
    sum += found.packets;
    const { expected, lost, reordered, duplicates } = gen.facts(flow);
    const wanted = { packets: arrived.packets, octets: arrived.octets, expected, lost, duplicates };
    // Sprayed, which packet of two CPUs comes first is nobody's plan.
    if (spray) found.reordered = 0;
    expect(found, `flow ${flow}`).toEqual({ ...wanted, reordered: spray ? 0 : reordered });
  }
  expect(sum).toBe(packets);
}
