// Packets that stand for many (GSO) and those that many were merged into (GRO): counted as what a
// capture at the far end sees, behind a device that cuts them all up.
import { describe, expect, test } from "vitest";
import type { Flow, Meter } from "../../src/meter/index.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { gsoFrame, hopByHop } from "../lab/offload.ts";
import { type DexOption, FLOW_ID, type Option, SEQUENCE } from "../lab/options.ts";
import { ADDRESS } from "../lab/router.ts";
import { INNER6 } from "../lab/samples.ts";
import { type Capture, station } from "../lab/station.ts";
import { counting } from "../lab/transport.ts";
import { expectConservation } from "./conservation.ts";
import { deviceLab } from "./device-lab.ts";
import { type MeteredRouter, meteredRouter } from "./metered-router.ts";
import { witness } from "./witness.ts";

/** Octets of the option that every packet of a test bears, to know it by. */
const MARK = new Uint8Array([0x00, 0x7b, 0x00, 0xc0, 0xf0, 0x00, 0x00]);
const DEX: DexOption = {
  kind: "dex",
  namespace: 123,
  extensionFlags: FLOW_ID | SEQUENCE,
  traceType: 0xf00000,
  flowId: 0x1234,
  sequence: 77,
};

interface Seen {
  packets: number;
  octets: number;
}

/**
 * A router whose both observation points see what the sender's stack made of bulk traffic; the wire
 * behind it carries single packets alone.
 */
async function bulkRouter(o: { merge: boolean }): Promise<MeteredRouter> {
  const metered = await meteredRouter({
    replies: true,
    gro: false,
    at: [
      ["in0", "ingress"],
      ["out0", "egress"],
    ],
  });
  const { source, router } = metered.lab;
  const off = { gso: false, tso: false, "tx-udp-segmentation": false };
  await router.features("out0", off);
  if (o.merge) {
    await source.features("src0", off);
    await router.features("in0", { gro: true, "rx-udp-gro-forwarding": true });
  }
  return metered;
}

/** What arrived and bears the option, until `complete`. */
async function arrived(capture: Capture, complete: (seen: Seen) => boolean): Promise<Seen> {
  const seen: Seen = { packets: 0, octets: 0 };
  while (!complete(seen)) {
    const [frame] = await capture.take(1, { contains: MARK, timeout: 10_000 });
    if (frame === undefined) throw new Error(`no more packets after ${seen.packets}`);
    seen.packets++;
    seen.octets += frame.length - 14;
  }
  return seen;
}

function flowsOf(meter: Meter): Record<string, Flow> {
  return Object.fromEntries(meter.dump().map((flow) => [flow.interfaceName, flow]));
}

const FROM = { address: ADDRESS.source, port: 40_000 };
const TO = { address: ADDRESS.sink, port: 53_000 };

describe.each([
  ["cut up behind the router (GSO)", false],
  ["merged before it (GRO)", true],
])("%s", (_, merge) => {
  test("TCP in bulk", async () => {
    await using metered = await bulkRouter({ merge });
    const { lab, meter } = metered;
    using early = witness(lab.router, "in0", { first: true });
    await using sender = station(lab.source);
    await using receiver = station(lab.sink);
    await receiver.acceptTcp(TO);
    const capture = await receiver.capture("snk0");
    const size = 250_000;
    await sender.sendTcp({ source: FROM, destination: TO, options: hopByHop(DEX), size });
    await eventually("all was read", async () => (await receiver.receivedTcp(TO.port)) === size);
    // The socket is closed: its FIN was acknowledged, and nothing comes after it.
    const total = (): number => Number(meter.counters().dexPackets);
    const seen = await arrived(capture, (now) => 2 * now.packets >= total());

    expect(early.count("gso")).toBeGreaterThan(0);
    expect(early.count("segments")).toBeGreaterThan(early.count("gso"));
    for (const device of ["in0", "out0"]) {
      expect(flowsOf(meter)[device]).toMatchObject({
        protocolIdentifier: 6,
        sourceTransportPort: FROM.port,
        destinationTransportPort: TO.port,
        packetDeltaCount: BigInt(seen.packets),
        octetDeltaCount: BigInt(seen.octets),
        // One number in them all.
        ioamExpectedPacketCount: 1n,
        ioamLostPacketCount: 0n,
        ioamDuplicatePacketCount: BigInt(seen.packets - 1),
      });
    }
    expectConservation(meter, 2 * seen.packets);
  });

  test("UDP_SEGMENT, the last segment shorter", async () => {
    await using metered = await bulkRouter({ merge });
    const { lab, meter } = metered;
    using early = witness(lab.router, "in0", { first: true });
    await using sender = station(lab.source);
    await using receiver = station(lab.sink);
    const capture = await receiver.capture("snk0");
    const sends = 5;
    const [size, segment] = [10_123, 700];
    const packets = sends * Math.ceil(size / segment);
    const traffic = { source: FROM, destination: TO, options: hopByHop(DEX) };
    await sender.sendUdp({ ...traffic, size, segment, count: sends });
    const seen = await arrived(capture, (now) => now.packets === packets);

    expect(early.count("gso")).toBeGreaterThanOrEqual(merge ? 1 : sends);
    const headers = 40 + hopByHop(DEX).length + 8;
    expect(seen.octets).toBe(packets * headers + sends * size);
    for (const device of ["in0", "out0"]) {
      expect(flowsOf(meter)[device]).toMatchObject({
        protocolIdentifier: 17,
        packetDeltaCount: BigInt(seen.packets),
        octetDeltaCount: BigInt(seen.octets),
        ioamExpectedPacketCount: 1n,
        ioamLostPacketCount: 0n,
        ioamDuplicatePacketCount: BigInt(seen.packets - 1),
      });
    }
    expectConservation(meter, 2 * seen.packets);
  });
});

test("a malformed DEX option in bulk traffic: every packet counted, octets no more than there are", async () => {
  await using metered = await bulkRouter({ merge: false });
  const { lab, meter } = metered;
  using early = witness(lab.router, "in0", { first: true });
  await using sender = station(lab.source);
  await using receiver = station(lab.sink);
  const capture = await receiver.capture("snk0");
  // Too short for the flow id and the number that its flags announce.
  const option: Option = { ...DEX, length: 14 };
  const traffic = { source: FROM, destination: TO, options: hopByHop(option) };
  await sender.sendUdp({ ...traffic, size: 10_000, segment: 1000 });
  const seen = await arrived(capture, (now) => now.packets === 10);
  expect(early.count("gso")).toBe(1);
  const counters = meter.counters();
  expect(counters).toMatchObject({ dexPackets: 20n, dexMalformed: 20n });
  expect(Number(counters.dexMalformedOctets)).toBeGreaterThan(2 * 10_000);
  expect(Number(counters.dexMalformedOctets)).toBeLessThanOrEqual(2 * seen.octets);
  expectConservation(meter, 20);
});

describe("from a sender that does not say how many packets there are", () => {
  test.each([
    ["UDP", "udp", dexPacket({ upper: [udp(9000)] }), 1000],
    ["UDP, the last one shorter", "udp", dexPacket({ upper: [udp(9001)] }), 1000],
    ["UDP, by a Destination option", "udp", dexPacket({ carrier: "destination", upper: [udp(5000)] }), 512],
    ["UDP in IPv6", "udp", dexPacket({ upper: [INNER6, udp(5000)] }), 700],
    ["TCP", "tcp", dexPacket({ upper: [tcp(8000)] }), 1400],
    ["TCP, one octet more", "tcp", dexPacket({ upper: [tcp(8401)] }), 1400],
    ["TCP, a single packet", "tcp", dexPacket({ upper: [tcp(800)] }), 1400],
    ["no flow id, no number", "udp", dexPacket({ extensionFlags: 0, upper: [udp(3000)] }), 1200],
  ] as const)("%s", async (_, _kind, packet, size) => {
    await using lab = await deviceLab();
    using early = witness(lab.netns, "d0", { first: true });
    const meter = lab.meter();
    meter.attach("d0", "ingress");
    await using sender = station(lab.netns);
    const frame = gsoFrame(packet, size);
    await sender.sendOffload("p0", frame.octets, frame.offload);
    await eventually("it is counted", () => meter.flows() === 1);
    expect(early.count("uncounted")).toBe(1);
    expect(meter.dump()).toMatchObject([
      {
        packetDeltaCount: BigInt(frame.segments),
        octetDeltaCount: BigInt(frame.ipOctets),
        sourceTransportPort: 40_000,
        destinationTransportPort: 53_000,
      },
    ]);
    expectConservation(meter, frame.segments);
  });
});

function udp(octets: number) {
  return {
    kind: "udp" as const,
    sourcePort: 40_000,
    destinationPort: 53_000,
    payload: counting(octets),
  };
}

function tcp(octets: number) {
  return { ...udp(octets), kind: "tcp" as const };
}
