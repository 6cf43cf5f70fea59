// Without an agent: what `dump` says of each flow equals what an XDP counter saw at the far end.
import { describe, expect, test } from "vitest";
import { dexPacket } from "../lab/dex-packet.ts";
import { generator } from "../lab/generator.ts";
import { FLOW_ID, SEQUENCE } from "../lab/options.ts";
import type { Packet } from "../lab/packet.ts";
import type { Anomaly } from "../lab/plan.ts";
import { INNER4, INNER6, UDP } from "../lab/samples.ts";
import { sink } from "../lab/sink.ts";
import { expectConservation } from "./conservation.ts";
import { expectExact, FlowSums } from "./flow-sums.ts";
import { meteredRouter } from "./metered-router.ts";

const FLOWS = 10_000;
const PACKETS = 1_000_000;

/** The planted numbers count from here, so that the numbers of every flow wrap at 2^32. */
const FIRST = 2 ** 32 - 50;

function number(offset: number): number {
  return (FIRST + offset) % 2 ** 32;
}

/**
 * Losses, late packets and duplicates all over 3000 flows, those at the far edge of the window
 * (96 numbers) too. `late`: false where the order of packets is left to chance.
 */
function plan(late: boolean): Anomaly[] {
  return Array.from({ length: 3000 }, (_, flow): Anomaly[] => {
    const at = 6 + ((flow * 7) % 76);
    const duplicate: Anomaly = {
      kind: "duplicate",
      flow,
      sequence: number(at + 3),
      after: flow % (95 - at),
    };
    const lost: Anomaly = { kind: "lost", flow, sequence: number(at) };
    if (!late) return [lost, duplicate];
    const by = 1 + (flow % (95 - at));
    return [lost, duplicate, { kind: "late", flow, sequence: number(at + 1), by }];
  }).flat();
}

describe("1 000 000 packets over 10 000 flows as fast as can be", () => {
  test("from both CPUs, each flow by one", async () => {
    await using metered = await meteredRouter();
    const { lab, meter } = metered;
    const traffic = { flows: FLOWS, firstSequence: FIRST, plan: plan(true) };
    using gen = generator(lab.source, "src0", traffic);
    using far = sink(lab.sink, "snk0", gen);
    await gen.send({ packets: PACKETS, cpus: [0, 1] });
    await far.arrived(PACKETS);

    const sums = new FlowSums();
    sums.addTable(meter);
    expectExact(sums, gen, far);
    expect(sums.packets).toBe(far.packets);
    expect(sums.octets).toBe(far.octets);
    expectConservation(meter, PACKETS);
    expect(meter.flows()).toBe(FLOWS);
    expect(meter.counters()).toMatchObject({
      packets: BigInt(PACKETS),
      ioamPackets: BigInt(PACKETS),
      tableFull: 0n,
      bucketFull: 0n,
    });
  });

  test("packets of each flow by both CPUs", async () => {
    await using metered = await meteredRouter();
    const { lab, meter } = metered;
    const traffic = { flows: FLOWS, firstSequence: FIRST, plan: plan(false) };
    using gen = generator(lab.source, "src0", traffic);
    using far = sink(lab.sink, "snk0", gen);
    await gen.send({ packets: PACKETS, cpus: [0, 1], spray: true });
    await far.arrived(PACKETS);

    const sums = new FlowSums();
    sums.addTable(meter);
    expectExact(sums, gen, far, { unordered: true });
    expectConservation(meter, PACKETS);
    // Two records a flow, one a CPU: it was really so.
    expect(meter.used()).toBe(2 * FLOWS);
    expect(meter.flows()).toBe(FLOWS);
  });

  test("flows that change their CPU and go back", async () => {
    await using metered = await meteredRouter();
    const { lab, meter } = metered;
    const traffic = { flows: FLOWS, firstSequence: FIRST, plan: plan(true) };
    using gen = generator(lab.source, "src0", traffic);
    using far = sink(lab.sink, "snk0", gen);
    for (let part = 0; part < 10; part++) {
      await gen.send({ packets: PACKETS / 10, cpus: [part % 2] });
      await far.arrived((PACKETS / 10) * (part + 1));
    }

    const sums = new FlowSums();
    sums.addTable(meter);
    expectExact(sums, gen, far);
    expectConservation(meter, PACKETS);
    expect(meter.used()).toBe(2 * FLOWS);
  });
});

describe("100 000 packets over 1000 flows of another shape", () => {
  test.each<[string, Packet]>([
    ["no sequence number", dexPacket({ source: "fd00:1::", extensionFlags: FLOW_ID })],
    ["no flow id", dexPacket({ source: "fd00:1::", extensionFlags: SEQUENCE })],
    ["neither", dexPacket({ source: "fd00:1::", extensionFlags: 0 })],
    ["in Destination options", dexPacket({ source: "fd00:1::", carrier: "destination" })],
    ["IPv6 in IPv6", dexPacket({ upper: [{ ...INNER6, source: "2001:db8:1::" }, UDP] })],
    ["IPv4 in IPv6", dexPacket({ upper: [{ ...INNER4, source: "10.0.0.0" }, UDP] })],
    [
      "1424 octets of payload",
      dexPacket({ source: "fd00:1::", upper: [{ ...UDP, payload: new Uint8Array(1424) }] }),
    ],
  ])("%s", async (_, packet) => {
    await using metered = await meteredRouter({ maxFlows: 4096 });
    const { lab, meter } = metered;
    using gen = generator(lab.source, "src0", { flows: 1000, packet });
    using far = sink(lab.sink, "snk0", gen);
    await gen.send({ packets: 100_000, cpus: [0, 1], order: "random" });
    await far.arrived(100_000);

    const sums = new FlowSums();
    sums.addTable(meter);
    expectExact(sums, gen, far);
    expectConservation(meter, 100_000);
  });
});
