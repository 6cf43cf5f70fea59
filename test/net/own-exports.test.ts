// Export packets that carry DEX all the same: on a real wire, counted and not metered.
import { expect, test } from "vitest";
import { Meter } from "../../src/meter/index.ts";
import { collector } from "../lab/collector.ts";
import { eventually } from "../lab/eventually.ts";
import { hopByHop } from "../lab/offload.ts";
import { type DexOption, FLOW_ID, SEQUENCE } from "../lab/options.ts";
import { ADDRESS } from "../lab/router.ts";
import { station } from "../lab/station.ts";
import { expectConservation } from "./conservation.ts";
import { meteredRouter } from "./metered-router.ts";

const DEX: DexOption = {
  kind: "dex",
  namespace: 123,
  extensionFlags: FLOW_ID | SEQUENCE,
  traceType: 0xf00000,
  flowId: 0x1234,
  sequence: 77,
};
const OPTIONS = hopByHop(DEX);
const FROM = { address: ADDRESS.source, port: 40_000 };
/** IPv6, options, UDP. */
const HEADERS = 40 + OPTIONS.length + 8;

async function counted(meter: Meter, dexPackets: number): Promise<void> {
  await eventually(`${dexPackets} packets`, () => meter.counters().dexPackets! >= dexPackets);
}

test("UDP to a collector, through ingress and egress, beside UDP to somebody else", async () => {
  await using metered = await meteredRouter({
    at: [
      ["in0", "ingress"],
      ["out0", "egress"],
    ],
  });
  const { lab, meter } = metered;
  await using receiver = await collector({ netns: lab.sink, address: ADDRESS.sink });
  await using sender = station(lab.source);
  const to = { address: ADDRESS.sink, port: receiver.port };
  const send = (destination: typeof to, count: number) =>
    sender.sendUdp({ source: FROM, destination, options: OPTIONS, size: 600, count });
  meter.setExportDestinations([{ ...to, protocol: "udp" }]);
  await send(to, 40);
  await send({ ...to, port: to.port ^ 1 }, 7);
  await counted(meter, 2 * 47);
  expect((await receiver.sender()).datagrams).toBe(40);
  expect(meter.counters()).toMatchObject({
    dexPackets: 94n,
    collectorPackets: 80n,
    collectorOctets: BigInt(80 * (HEADERS + 600)),
  });
  expect(meter.dump().map((flow) => flow.packetDeltaCount)).toEqual([7n, 7n]);
  expectConservation(meter, 94);

  // The list is the kernel's: it holds for whoever opens the meter next, who may replace it.
  const same = Meter.open(lab.router.name)!;
  await send(to, 1);
  await counted(meter, 96);
  expect(same.counters().collectorPackets).toBe(82n);
  same.setExportDestinations([]);
  same.close();
  await send(to, 1);
  await counted(meter, 98);
  expect(meter.counters().collectorPackets).toBe(82n);
  expect(meter.flows()).toBe(4);
  expectConservation(meter, 98);
});

test("TCP in bulk to a collector: every segment", async () => {
  await using metered = await meteredRouter({ replies: true });
  const { lab, meter } = metered;
  await using sender = station(lab.source);
  await using receiver = station(lab.sink);
  const to = { address: ADDRESS.sink, port: 4739 };
  await receiver.acceptTcp(to);
  meter.setExportDestinations([{ ...to, protocol: "tcp" }]);
  const size = 250_000;
  await sender.sendTcp({ source: FROM, destination: to, options: OPTIONS, size });
  await eventually("all was read and the connection is over", async () => {
    const { stdout } = await lab.sink.run("ss", ["-tanH", `sport = :${to.port}`]);
    const states = stdout.trim().split("\n");
    return (
      (await receiver.receivedTcp(to.port)) === size &&
      states.every((line) => line.startsWith("LISTEN"))
    );
  });
  const { dexPackets, dexOctets, collectorPackets, collectorOctets } = meter.counters();
  expect(Number(collectorOctets)).toBeGreaterThan(size);
  expect({ collectorPackets, collectorOctets }).toEqual({
    collectorPackets: dexPackets,
    collectorOctets: dexOctets,
  });
  expect(meter.flows()).toBe(0);
  expectConservation(meter, Number(dexPackets));
});
