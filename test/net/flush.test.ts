// Flush by every filter while packets pass: what it takes and what stays add up, nothing else changes.
import { describe, expect, test } from "vitest";
import type { Flow, Meter } from "../../src/meter/index.ts";
import { eventually } from "../lab/eventually.ts";
import { flowFields } from "../lab/frame.ts";
import { generator } from "../lab/generator.ts";
import { sink } from "../lab/sink.ts";
import { station } from "../lab/station.ts";
import { expectConservation } from "./conservation.ts";
import { EndlessTraffic } from "./endless-traffic.ts";
import {
  OTHER_PACKETS,
  OTHERS,
  otherFrames,
  otherOf,
  PARTIAL,
  points,
  WHOLE,
} from "./flush-cases.ts";
import { meteredRouter } from "./metered-router.ts";

const FLOWS = 1000;

function expectOthers(meter: Meter, wanted: Map<string, bigint>): void {
  const found = new Map<string, bigint>();
  for (const flow of meter.dump()) {
    if (otherOf(flow) === undefined) continue;
    found.set(points(flow), flow.packetDeltaCount);
    expect(flow.ioamLostPacketCount).toBe(0n);
  }
  expect(found).toEqual(wanted);
}

describe.each([
  ["some flows", PARTIAL],
  ["all flows of the traffic", WHOLE],
])("filters that match %s", (_, cases) => {
  test("flushed and table add up; no other flow's count changes", async () => {
    await using metered = await meteredRouter({
      maxFlows: 60_000,
      at: [
        ["in0", "ingress"],
        ["out0", "egress"],
      ],
    });
    const { lab, meter } = metered;
    await using sender = station(lab.source);
    using gen = generator(lab.source, "src0", { flows: FLOWS });
    using far = sink(lab.sink, "snk0", gen);
    const others = Object.keys(OTHERS).flatMap((name) => [`in0 ${name}`, `out0 ${name}`]);
    const frames = otherFrames();
    await sender.send("src0", ...frames);
    await eventually("the other flows are in the table", () => meter.flows() === others.length);
    await eventually(
      "and counted",
      () => Number(meter.counters().dexPackets) === 2 * frames.length,
    );
    const wanted = new Map(others.map((point) => [point, BigInt(OTHER_PACKETS)]));
    expectOthers(meter, wanted);

    const touched = new Set<number>();
    let flushedTraffic = 0;
    const traffic = new EndlessTraffic(gen);
    try {
      for (const { name, filter, others: matched, traffic: matches } of cases) {
        await traffic.goesOn();
        const flushed = await meter.flush(filter);
        const gone = [...wanted.keys()].filter(matched);
        const own = gone.reduce((sum, point) => sum + Number(wanted.get(point)), 0);
        for (const point of gone) wanted.delete(point);
        expectOthers(meter, wanted);
        const flows = Array.from({ length: FLOWS }, (_, flow) => flow).filter(matches);
        for (const flow of flows) touched.add(flow);
        const places = filter.interfaceName === undefined ? 2 : 1;
        expect(flushed.flows, name).toBe(gone.length + places * flows.length);
        if (flows.length === 0) expect(Number(flushed.packets), name).toBe(own);
        else expect(Number(flushed.packets), name).toBeGreaterThan(own);
        flushedTraffic += Number(flushed.packets) - own;
      }
      await traffic.goesOn();
    } finally {
      await traffic.stop(far);
    }

    const sent = gen.packets;
    await eventually(
      "the last packets are counted at out0",
      () => Number(meter.counters().dexPackets) === 2 * (sent + frames.length),
    );
    let table = 0;
    const byId = new Map<string, Flow>();
    for (const flow of meter.dump()) {
      if (otherOf(flow) !== undefined) continue;
      table += Number(flow.packetDeltaCount);
      byId.set(`${flow.interfaceName} ${flow.ioamFlowId}`, flow);
      // Every flow went on: no loss, nothing out of order because of a flush.
      expect(flow).toMatchObject({
        ioamLostPacketCount: 0n,
        ioamExpectedPacketCount: flow.packetDeltaCount,
        ioamReorderedPacketCount: 0n,
        ioamDuplicatePacketCount: 0n,
      });
    }
    expect(flushedTraffic + table).toBe(2 * sent);
    expect(byId.size).toBe(2 * FLOWS);
    for (let flow = 0; flow < FLOWS; flow++) {
      if (touched.has(flow)) continue;
      const { flowId } = flowFields(gen.frame, flow);
      const arrived = far.flow(flow);
      for (const device of ["in0", "out0"]) {
        expect(byId.get(`${device} ${flowId}`)).toMatchObject({
          packetDeltaCount: BigInt(arrived.packets),
          octetDeltaCount: BigInt(arrived.octets),
        });
      }
    }
    expectConservation(meter, 2 * (sent + frames.length));
  });
});
