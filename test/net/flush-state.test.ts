// What a flush leaves behind: room in the table, the sequence state of the flows, no packet uncounted.
import { expect, test } from "vitest";
import type { FlowFilter } from "../../src/meter/index.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { generator } from "../lab/generator.ts";
import { packetOctets } from "../lab/packet.ts";
import type { Anomaly } from "../lab/plan.ts";
import { sink } from "../lab/sink.ts";
import { station } from "../lab/station.ts";
import { expectConservation } from "./conservation.ts";
import { EndlessTraffic } from "./endless-traffic.ts";
import { meteredRouter } from "./metered-router.ts";

const FLOWS = 1000;

test("a flush of everything frees the table, however much traffic there is", async () => {
  // Room for the flows once, not twice.
  await using metered = await meteredRouter({ maxFlows: 1500 });
  const { lab, meter } = metered;
  using gen = generator(lab.source, "src0", { flows: FLOWS });
  using far = sink(lab.sink, "snk0", gen);
  const traffic = new EndlessTraffic(gen);
  let flushed = 0;
  let sent = 0;
  try {
    for (let i = 0; i < 10; i++) {
      await traffic.goesOn();
      const { flows, packets } = await meter.flush();
      expect(flows).toBe(FLOWS);
      flushed += Number(packets);
    }
  } finally {
    sent = await traffic.stop(far);
  }
  expect(meter.counters()).toMatchObject({ tableFull: 0n, flushedPackets: BigInt(flushed) });
  expectConservation(meter, sent);
  flushed += Number((await meter.flush()).packets);
  expect(flushed).toBe(sent);
  expect(meter.dump()).toEqual([]);
  expect(meter.flows()).toBe(0);
  expect(meter.used()).toBe(0);
  expectConservation(meter, sent);
});

test("a filter that leaves nothing frees the table too", async () => {
  await using metered = await meteredRouter({ maxFlows: 1500 });
  const { lab, meter } = metered;
  using gen = generator(lab.source, "src0", { flows: FLOWS });
  using far = sink(lab.sink, "snk0", gen);
  for (let i = 1; i <= 3; i++) {
    await gen.send({ packets: 2 * FLOWS, cpus: [0] });
    await far.arrived(2 * FLOWS * i);
    expect(await meter.flush({ namespace: 123 })).toEqual({
      flows: FLOWS,
      packets: 2n * BigInt(FLOWS),
      octets: BigInt(far.octets / i),
    });
    expect(meter.used()).toBe(0);
  }
  expect(meter.counters().tableFull).toBe(0n);
});

test.each<[string, FlowFilter]>([
  ["closed in the running generation", { source: "fd00:1::/64" }],
  ["a new generation", {}],
])("losses, late packets and duplicates across a flush: %s", async (_, filter) => {
  const half = 50;
  // One packet late, one a duplicate, one lost, on either side of packet 50 or across it.
  const plan = Array.from({ length: FLOWS }, (_, flow): Anomaly[] => {
    const at = 40 + (flow % 12);
    return [
      { kind: "lost", flow, sequence: at },
      { kind: "late", flow, sequence: at + 1, by: 1 + (flow % 20) },
      { kind: "duplicate", flow, sequence: at + 2, after: flow % 25 },
    ];
  }).flat();
  await using metered = await meteredRouter({ maxFlows: 4096 });
  const { lab, meter } = metered;
  // A flow that stays, so that the table is never empty and the generation goes on.
  await using sender = station(lab.source);
  await sender.send("src0", packetOctets(dexPacket({ source: "fd00:1:eeee::f000:1", flowId: 1 })));
  using gen = generator(lab.source, "src0", { flows: FLOWS, plan });
  using far = sink(lab.sink, "snk0", gen);
  await gen.send({ packets: half * FLOWS, cpus: [0, 1] });
  await far.arrived(half * FLOWS);
  expect((await meter.flush(filter)).packets).toBe(BigInt(half * FLOWS + (filter.source ? 0 : 1)));
  await gen.send({ packets: half * FLOWS, cpus: [1, 0] });
  await far.arrived(2 * half * FLOWS);

  const flows = meter.dump().filter((flow) => flow.ioamFlowId !== 1);
  expect(flows).toHaveLength(FLOWS);
  for (const flow of flows) {
    const number = flow.ioamFlowId! - gen.frame.flowIdBase;
    const before = gen.facts(number, 0, half);
    const whole = gen.facts(number);
    expect(flow, `flow ${number}`).toMatchObject({
      packetDeltaCount: BigInt(half),
      ioamExpectedPacketCount: BigInt(whole.expected - before.expected),
      ioamLostPacketCount: BigInt(whole.lost - before.lost),
      ioamReorderedPacketCount: BigInt(whole.reordered - before.reordered),
      ioamDuplicatePacketCount: BigInt(whole.duplicates - before.duplicates),
    });
  }
});

test("flows that come by a second CPU just while they are flushed", async () => {
  const packets = 300_000;
  await using metered = await meteredRouter({ maxFlows: 250_000 });
  const { lab, meter } = metered;
  using gen = generator(lab.source, "src0", { flows: 20_000 });
  using far = sink(lab.sink, "snk0", gen);
  let flushed = 0;
  let ended = false;
  const sending = gen.send({ packets, cpus: [0, 1], spray: true, order: "random" }).finally(() => {
    ended = true;
  });
  while (!ended) flushed += Number((await meter.flush({ namespace: 123 })).packets);
  await sending;
  await far.arrived(packets);
  const table = meter.dump().reduce((sum, flow) => sum + Number(flow.packetDeltaCount), 0);
  expect(flushed + table).toBe(packets);
  expectConservation(meter, packets);
});
