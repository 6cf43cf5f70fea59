// Rotation while packets pass, as an agent rotates: the intervals add up to what was sent.
import { describe, expect, test } from "vitest";
import { Meter } from "../../src/meter/index.ts";
import {
  attachTcx,
  interfaceIndex,
  openNetns,
  withNetns,
} from "../../src/native/bpf-loader/index.ts";
import { UnpinnedMeter } from "../bpf/unpinned-meter.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { flowFields } from "../lab/frame.ts";
import { generator } from "../lab/generator.ts";
import { packetOctets } from "../lab/packet.ts";
import type { Anomaly } from "../lab/plan.ts";
import { router } from "../lab/router.ts";
import { sink } from "../lab/sink.ts";
import { expectConservation } from "./conservation.ts";
import { expectExact, FlowSums } from "./flow-sums.ts";
import { meteredRouter } from "./metered-router.ts";
import { rotateWhile } from "./rotating.ts";

const FLOWS = 10_000;
const PACKETS = 1_000_000;

/** Losses, late packets and duplicates in every flow, at every place: rotations fall into many. */
function plan(flows: number, late: boolean): Anomaly[] {
  return Array.from({ length: flows }, (_, flow): Anomaly[] => {
    const at = 6 + ((flow * 13) % 85);
    const sent: Anomaly[] = [
      { kind: "lost", flow, sequence: at },
      { kind: "duplicate", flow, sequence: at + 1, after: flow % (96 - at) },
    ];
    if (late) sent.push({ kind: "late", flow, sequence: at + 2, by: 1 + (flow % (95 - at)) });
    return sent;
  }).flat();
}

describe("1 000 000 packets over 10 000 flows", () => {
  test.each([
    ["as fast as can be", undefined],
    ["over many rotations", 350_000],
  ])("each flow on one CPU, %s", async (_, rate) => {
    await using metered = await meteredRouter();
    const { lab, meter } = metered;
    using gen = generator(lab.source, "src0", { flows: FLOWS, plan: plan(FLOWS, true) });
    using far = sink(lab.sink, "snk0", gen);
    const sums = new FlowSums();
    const sending = gen.send({
      packets: PACKETS,
      cpus: [0, 1],
      ...(rate === undefined ? {} : { rate }),
    });
    const { rotations, records } = await rotateWhile(
      meter,
      gen,
      [FLOWS / 2 - 1, FLOWS - 1],
      sums,
      sending,
    );
    await far.arrived(PACKETS);
    const rest = sums.drain(meter, await meter.rotate());

    expectExact(sums, gen, far);
    expect(rotations).toBeGreaterThan(rate === undefined ? 0 : 4);
    expectConservation(meter, PACKETS);
    expect(meter.counters()).toMatchObject({
      exportedPackets: BigInt(PACKETS),
      exportedOctets: BigInt(far.octets),
      exportedRecords: BigInt(records + rest),
      rotations: BigInt(rotations + 1),
      earlyRotations: 0n,
      tableFull: 0n,
    });
    expect(meter.flows()).toBe(0);
  });

  test("packets of each flow by both CPUs", async () => {
    await using metered = await meteredRouter();
    const { lab, meter } = metered;
    using gen = generator(lab.source, "src0", { flows: FLOWS, plan: plan(FLOWS, false) });
    using far = sink(lab.sink, "snk0", gen);
    const sums = new FlowSums();
    const sending = gen.send({ packets: PACKETS, cpus: [0, 1], spray: true, rate: 350_000 });
    const { rotations } = await rotateWhile(meter, gen, [FLOWS - 1], sums, sending);
    await far.arrived(PACKETS);
    sums.drain(meter, await meter.rotate());

    expectExact(sums, gen, far, { unordered: true });
    expect(rotations).toBeGreaterThan(4);
    expect(Number(meter.counters().exportedPackets)).toBe(PACKETS);
    expectConservation(meter, PACKETS);
  });

  test("flows that change their CPU and go back", async () => {
    await using metered = await meteredRouter();
    const { lab, meter } = metered;
    using gen = generator(lab.source, "src0", { flows: FLOWS, plan: plan(FLOWS, true) });
    using far = sink(lab.sink, "snk0", gen);
    const sums = new FlowSums();
    const parts = async (): Promise<void> => {
      for (let part = 0; part < 10; part++) {
        await gen.send({ packets: PACKETS / 10, cpus: [part % 2], rate: 350_000 });
        await far.arrived((PACKETS / 10) * (part + 1));
      }
    };
    const { rotations } = await rotateWhile(meter, gen, [FLOWS - 1], sums, parts());
    sums.drain(meter, await meter.rotate());

    expectExact(sums, gen, far);
    expect(rotations).toBeGreaterThan(4);
    expect(Number(meter.counters().exportedPackets)).toBe(PACKETS);
    expectConservation(meter, PACKETS);
  });
});

describe("the table fills up", () => {
  test("packets beyond it are counted; the notice comes once a generation", async () => {
    await using metered = await meteredRouter({ maxFlows: 1000 });
    const { lab, meter } = metered;
    using gen = generator(lab.source, "src0", { flows: 5000 });
    using far = sink(lab.sink, "snk0", gen);
    let notices = 0;
    const ring = meter.onFilling(() => notices++);
    const sums = new FlowSums();
    let sent = 0;
    const send = async (packets: number): Promise<void> => {
      await gen.send({ packets, cpus: [0, 1] });
      sent += packets;
      await far.arrived(sent);
    };
    try {
      await send(5000);
      await eventually("the notice comes", () => notices === 1);
      await send(95_000);
      expect(meter.flows()).toBe(1000);
      // 1000 of the 5000 flows have a record; each flow had 20 packets.
      expect(meter.counters()).toMatchObject({
        tableFull: 80_000n,
        tableFullOctets: 80_000n * 136n,
      });
      expectConservation(meter, sent);

      // 700 of 1000 records: not filling.
      sums.drain(meter, await meter.rotate());
      await send(700);
      expect(meter.used()).toBe(700);
      expectConservation(meter, sent);

      sums.drain(meter, await meter.rotate());
      await send(100_000);
      await eventually("the second notice comes", () => notices === 2);
      sums.drain(meter, await meter.rotate(true));
      await send(10_000);
      await eventually("the third notice comes", () => notices >= 3);
      expect(notices).toBe(3);
      expectConservation(meter, sent);
      expect(sums.packets).toBe(Number(meter.counters().exportedPackets));
      expect(meter.counters()).toMatchObject({
        rotations: 3n,
        earlyRotations: 1n,
        ringDropped: 0n,
      });
    } finally {
      ring.close();
    }
  });

  test("rotated early by the notice, during a burst", async () => {
    await using metered = await meteredRouter({ maxFlows: 2500 });
    const { lab, meter } = metered;
    using gen = generator(lab.source, "src0", { flows: FLOWS });
    using far = sink(lab.sink, "snk0", gen);
    const sums = new FlowSums();
    let rotating: Promise<void> = Promise.resolve();
    let rotations = 0;
    const ring = meter.onFilling(() => {
      rotating = rotating.then(async () => {
        sums.drain(meter, await meter.rotate(true));
        rotations++;
      });
    });
    try {
      // A quarter of the table is left for 20 ms or more, then the table is overrun.
      await gen.send({ packets: 30_000, cpus: [0, 1], order: "random", rate: 30_000 });
      await gen.send({ packets: 270_000, cpus: [0, 1], order: "random" });
      await far.arrived(300_000);
      await rotating;
    } finally {
      ring.close();
    }
    expectConservation(meter, 300_000);
    expect(rotations).toBeGreaterThan(2);
    expect(Number(meter.counters().earlyRotations)).toBe(rotations);
    expect(Number(meter.counters().exportedPackets)).toBe(sums.packets);
    sums.addTable(meter);
    expect(sums.packets + Number(meter.counters().tableFull)).toBe(300_000);
  });

  test("a bucket of the index alone: its packets get records of their own", async () => {
    await using lab = await router();
    const meter = new UnpinnedMeter({ maxFlows: 20_000, buckets: 1 });
    const netns = openNetns(lab.router.name);
    using gen = generator(lab.source, "src0", { flows: 200 });
    using far = sink(lab.sink, "snk0", gen);
    try {
      const program = meter.object.program("ioam_ingress");
      const link = withNetns(netns, () => attachTcx(program, interfaceIndex("in0"), "ingress"));
      for (let part = 1; part <= 2; part++) {
        await gen.send({ packets: 2000, cpus: [0, 1], spray: true });
        await far.arrived(2000 * part);
        expect(meter.table.count(meter.table.generation)).toBeGreaterThan(1500);
        // Both generations are in the table.
        if (part === 1) meter.rotate();
      }
      link.close();
      const sums = new FlowSums();
      for (const flow of meter.flows()) sums.add(flow);
      expect(sums.packets).toBe(4000);
      expect(sums.octets).toBe(far.octets);
      for (let flow = 0; flow < 200; flow++) {
        const { source } = flowFields(gen.frame, flow);
        expect(sums.flows.get(source)!.packets).toBe(far.flow(flow).packets);
      }
      expect(Number(meter.counters().bucketFull)).toBeGreaterThan(3000);
      expect(meter.counters().tableFull).toBe(0n);
    } finally {
      netns.close();
      meter.close();
    }
  });
});

test("a sealed generation that its drainer left is finished by the next one", async () => {
  await using metered = await meteredRouter({ maxFlows: 4096 });
  const { lab, meter } = metered;
  using gen = generator(lab.source, "src0", { flows: 1000, plan: plan(1000, false) });
  using far = sink(lab.sink, "snk0", gen);
  const sums = new FlowSums();
  await gen.send({ packets: 50_000, cpus: [0, 1], spray: true });
  await far.arrived(50_000);
  expect(await meter.pending()).toBeUndefined();
  const left = await meter.rotate();
  const reader = left.reader();
  const slice = reader.next(300);
  sums.take(meter, left, slice);
  left.commit(slice);
  // It reads on, and is gone before these are committed.
  expect(reader.next(100).count).toBe(100);
  await gen.send({ packets: 50_000, cpus: [0, 1], spray: true });
  await far.arrived(100_000);
  expect(meter.dump()).toHaveLength(1000);
  expectConservation(meter, 100_000);

  const next = Meter.open(lab.router.name)!;
  try {
    await expect(next.rotate()).rejects.toMatchObject({ code: "PENDING" });
    expect(sums.drain(next, (await next.pending())!)).toBe(700);
    expect(await next.pending()).toBeUndefined();
    expect(sums.drain(next, await next.rotate())).toBe(1000);
  } finally {
    next.close();
  }
  expectExact(sums, gen, far, { unordered: true });
  expect(meter.counters()).toMatchObject({ exportedRecords: 2000n, exportedPackets: 100_000n });
  expectConservation(meter, 100_000);
});

test("a flow that comes back after 256 generations is counted", () => {
  const meter = new UnpinnedMeter();
  try {
    const packet = packetOctets(dexPacket());
    for (let round = 0; round < 4; round++) {
      meter.run(packet);
      meter.run(packet);
      expect(meter.flows().map((flow) => flow.packetDeltaCount)).toEqual([2n]);
      for (let rotation = 0; rotation < 256; rotation++) meter.rotate();
      expect(meter.flows()).toEqual([]);
    }
  } finally {
    meter.close();
  }
});
