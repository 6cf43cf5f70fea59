// Packets that stand for many (GSO) and those that many were merged into (GRO): counted as what a
// capture at the far end sees, behind a device that cuts them all up.
import { expect, test } from "vitest";
import type { Meter } from "../../src/meter/index.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { gsoFrame, hopByHop } from "../lab/offload.ts";
import { type DexOption, FLOW_ID, SEQUENCE } from "../lab/options.ts";
import { ADDRESS } from "../lab/router.ts";
import { type Capture, station } from "../lab/station.ts";
import { counting, type TcpLayer, type UdpLayer } from "../lab/transport.ts";
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

const CUT_UP = { gso: false, tso: false, "tx-udp-segmentation": false };

/** A router with a meter on both sides; the wire behind it carries single packets alone. */
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
  await router.features("out0", CUT_UP);
  if (o.merge) {
    await source.features("src0", CUT_UP);
    await router.features("in0", { gro: true, "rx-udp-gro-forwarding": true });
  }
  return metered;
}

/** A meter where the sender's packets leave: UDP with options is cut up right behind it. */
async function bulkSource(): Promise<MeteredRouter> {
  return meteredRouter({ gro: false, where: "source", at: [["src0", "egress"]] });
}

/** What arrived and bears the option; waits for `packets` of them at least. */
async function arrived(capture: Capture, packets: number): Promise<Seen> {
  const frames = await capture.take(packets, { contains: MARK, timeout: 10_000 });
  for (;;) {
    const [more] = await capture.take(1, { contains: MARK, timeout: 0 });
    if (more === undefined) break;
    frames.push(more);
  }
  return {
    packets: frames.length,
    octets: frames.reduce((sum, frame) => sum + frame.length - 14, 0),
  };
}

const FROM = { address: ADDRESS.source, port: 40_000 };
const TO = { address: ADDRESS.sink, port: 53_000 };
const OPTIONS = hopByHop(DEX);

/** Each interface saw what arrived, as one flow whose packets all have one number. */
function expectFlows(meter: Meter, interfaces: string[], seen: Seen, protocol: number): void {
  const flows = meter.dump();
  expect(flows.map((flow) => flow.interfaceName).sort()).toEqual(interfaces);
  for (const flow of flows) {
    expect(flow).toMatchObject({
      protocolIdentifier: protocol,
      sourceTransportPort: FROM.port,
      destinationTransportPort: TO.port,
      packetDeltaCount: BigInt(seen.packets),
      octetDeltaCount: BigInt(seen.octets),
      ioamExpectedPacketCount: 1n,
      ioamLostPacketCount: 0n,
      ioamDuplicatePacketCount: BigInt(seen.packets - 1),
    });
  }
  expectConservation(meter, interfaces.length * seen.packets);
}

test.each([
  ["cut up behind the router (GSO)", false],
  ["merged before it (GRO)", true],
])("TCP in bulk, %s", async (_, merge) => {
  await using metered = await bulkRouter({ merge });
  const { lab, meter } = metered;
  using early = witness(lab.router, "in0", { first: true });
  await using sender = station(lab.source);
  await using receiver = station(lab.sink);
  await receiver.acceptTcp(TO);
  const capture = await receiver.capture("snk0");
  const size = 250_000;
  await sender.sendTcp({ source: FROM, destination: TO, options: OPTIONS, size });
  await eventually("all was read and the connection is over", async () => {
    const { stdout } = await lab.sink.run("ss", ["-tanH", `sport = :${TO.port}`]);
    const states = stdout.trim().split("\n");
    return (
      (await receiver.receivedTcp(TO.port)) === size &&
      states.every((line) => line.startsWith("LISTEN"))
    );
  });
  const seen = await arrived(capture, 1);

  expect(early.count("gso")).toBeGreaterThan(0);
  expect(early.count("segments")).toBeGreaterThan(early.count("gso"));
  expectFlows(meter, ["in0", "out0"], seen, 6);
});

const DATAGRAMS = { source: FROM, destination: TO, size: 10_123, segment: 700, count: 5 };
const PACKETS = 5 * 15;
const OCTETS = PACKETS * (40 + OPTIONS.length + 8) + 5 * 10_123;

test.each([
  ["cut up behind the sender (GSO)", bulkSource, ["src0"]],
  ["merged before the router (GRO)", () => bulkRouter({ merge: true }), ["in0", "out0"]],
])("UDP_SEGMENT, the last segment shorter, %s", async (_, bulk, interfaces) => {
  await using metered = await bulk();
  const { lab, meter } = metered;
  const atSource = interfaces[0] === "src0";
  using early = atSource
    ? witness(lab.source, "src0", { direction: "egress", first: true })
    : witness(lab.router, "in0", { first: true });
  await using sender = station(lab.source);
  await using receiver = station(lab.sink);
  const capture = await receiver.capture("snk0");
  await sender.sendUdp({ ...DATAGRAMS, options: OPTIONS });
  const seen = await arrived(capture, PACKETS);

  if (atSource) expect(early.count("gso")).toBe(DATAGRAMS.count);
  else expect(early.count("gso")).toBeGreaterThan(0);
  expect(seen).toEqual({ packets: PACKETS, octets: OCTETS });
  expectFlows(meter, interfaces, seen, 17);
});

test("a malformed DEX option in bulk traffic: every packet counted, no octets that are not", async () => {
  await using metered = await bulkSource();
  const { lab, meter } = metered;
  using early = witness(lab.source, "src0", { direction: "egress", first: true });
  await using sender = station(lab.source);
  await using receiver = station(lab.sink);
  const capture = await receiver.capture("snk0");
  // Too short for the flow id and the number that its flags announce.
  const options = hopByHop({ ...DEX, length: 14 });
  await sender.sendUdp({ ...DATAGRAMS, options });
  const seen = await arrived(capture, PACKETS);
  expect(early.count("gso")).toBe(DATAGRAMS.count);
  const counters = meter.counters();
  expect(counters).toMatchObject({
    dexPackets: BigInt(PACKETS),
    dexMalformed: BigInt(PACKETS),
  });
  const octets = Number(counters.dexMalformedOctets);
  expect(octets).toBeGreaterThan(DATAGRAMS.count * DATAGRAMS.size);
  expect(octets).toBeLessThanOrEqual(seen.octets);
  expectConservation(meter, PACKETS);
});

test.each([
  ["UDP", dexPacket({ upper: [udp(9000)] }), 1000],
  ["UDP, the last one shorter", dexPacket({ upper: [udp(9001)] }), 1000],
  ["UDP, a Destination option", dexPacket({ carrier: "destination", upper: [udp(5000)] }), 512],
  ["UDP, no flow id, no number", dexPacket({ extensionFlags: 0, upper: [udp(3000)] }), 1200],
  ["TCP", dexPacket({ upper: [tcp(8000)] }), 1400],
  ["TCP, one octet more", dexPacket({ upper: [tcp(8401)] }), 1400],
  ["TCP, a single packet", dexPacket({ upper: [tcp(800)] }), 1400],
])("from a sender that does not say how many packets there are: %s", async (_, packet, size) => {
  await using lab = await deviceLab();
  // Behind it the kernel has counted them.
  using early = witness(lab.netns, "p0", { direction: "egress", first: true });
  const meter = lab.meter();
  meter.attach("p0", "egress");
  meter.attach("d0", "ingress");
  await using sender = station(lab.netns);
  const frame = gsoFrame(packet, size);
  await sender.sendOffload("p0", frame.octets, frame.offload);
  await eventually("it is counted twice", () => meter.flows() === 2);
  expect(early.count("uncounted")).toBe(frame.segments > 1 ? 1 : 0);
  const wanted = {
    packetDeltaCount: BigInt(frame.segments),
    octetDeltaCount: BigInt(frame.ipOctets),
    sourceTransportPort: 40_000,
    destinationTransportPort: 53_000,
  };
  expect(meter.dump()).toMatchObject([wanted, wanted]);
  const all = BigInt(2 * frame.segments);
  expect(meter.counters()).toMatchObject({ packets: all, ioamPackets: all, dexPackets: all });
  expectConservation(meter, 2 * frame.segments);
});

function udp(octets: number): UdpLayer {
  return {
    kind: "udp",
    sourcePort: 40_000,
    destinationPort: 53_000,
    payload: counting(octets),
  };
}

function tcp(octets: number): TcpLayer {
  return { ...udp(octets), kind: "tcp" };
}
