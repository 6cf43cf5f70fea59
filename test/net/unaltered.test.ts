// The meter reads packets and leaves them as they are: compared octet by octet behind the router.
import { describe, expect, test } from "vitest";
import type { Direction } from "../../src/meter/index.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { generator } from "../lab/generator.ts";
import { hex, macOctets } from "../lab/octets.ts";
import { type Packet, packetOctets } from "../lab/packet.ts";
import { MAC } from "../lab/router.ts";
import { INNER4, INNER6, UDP } from "../lab/samples.ts";
import { sink } from "../lab/sink.ts";
import { type Capture, type Station, station } from "../lab/station.ts";
import { counting } from "../lab/transport.ts";
import { wireCases } from "../lab/wire-cases.ts";
import { meteredRouter } from "./metered-router.ts";

const EVERYWHERE: [device: "in0" | "out0", direction: Direction][] = [
  ["in0", "ingress"],
  ["in0", "egress"],
  ["out0", "ingress"],
  ["out0", "egress"],
];

describe.each(["auto", "tc"] as const)("hook: %s", (hook) => {
  test.each<[string, number, Packet]>([
    ["Hop-by-Hop", 300_000, dexPacket({ source: "fd00:1::" })],
    ["Destination options", 100_000, dexPacket({ source: "fd00:1::", carrier: "destination" })],
    ["IPv6 in IPv6", 100_000, dexPacket({ upper: [{ ...INNER6, source: "2001:db8::" }, UDP] })],
    ["IPv4 in IPv6", 100_000, dexPacket({ upper: [{ ...INNER4, source: "10.0.0.0" }, UDP] })],
    [
      "as long as the MTU has room for",
      100_000,
      dexPacket({ source: "fd00:1::", upper: [{ ...UDP, payload: new Uint8Array(1424) }] }),
    ],
  ])("every packet of bulk traffic: %s", async (_, packets, packet) => {
    await using metered = await meteredRouter({ at: EVERYWHERE, hook, maxFlows: 8192 });
    const { lab, meter } = metered;
    using gen = generator(lab.source, "src0", { flows: 2000, packet });
    using far = sink(lab.sink, "snk0", gen, { verify: true });
    await gen.send({ packets, cpus: [0, 1], order: "random" });
    await far.arrived(packets);
    expect(far.mismatch).toBeUndefined();
    expect(far.mismatches).toBe(0);
    expect(far.foreign).toBe(0);
    // At ingress and at egress.
    expect(Number(meter.counters().dexPackets)).toBe(2 * packets);
  });
});

/** A packet to know the end by. */
const LAST = packetOctets({
  link: {},
  layers: [
    { kind: "ipv6", source: "fd00:1::1", destination: "fd00:2::1" },
    { kind: "udp", sourcePort: 1, destinationPort: 1, payload: counting(99) },
  ],
});

/** As a frame leaves the router. */
function forwarded(frame: Uint8Array): string {
  const out = frame.slice();
  out.set(macOctets(MAC.snk0), 0);
  out.set(macOctets(MAC.out0), 6);
  out[14 + 7]!--;
  return hex(out);
}

/** The frames that arrive, up to LAST. */
async function arriving(capture: Capture): Promise<string[]> {
  const last = forwarded(LAST);
  const frames: string[] = [];
  for (;;) {
    const [frame] = await capture.take(1, { timeout: 10_000 });
    if (frame === undefined) throw new Error(`the last packet is missing after ${frames.length}`);
    if (hex(frame) === last) return frames;
    frames.push(hex(frame));
  }
}

/** Sends frames twice, without and with the meter; what arrives has to be the same. */
async function expectUnaltered(
  frames: Uint8Array[],
  send: (sender: Station, frames: Uint8Array[]) => Promise<void>,
): Promise<string[]> {
  await using metered = await meteredRouter({ at: [], mtu: 9000, gro: false, maxFlows: 8192 });
  const { lab, meter } = metered;
  await using sender = station(lab.source);
  await using receiver = station(lab.sink);
  const capture = await receiver.capture("snk0");
  const run = async (): Promise<string[]> => {
    await send(sender, frames);
    await sender.send("src0", LAST);
    return arriving(capture);
  };
  const without = await run();
  for (const [device, direction] of EVERYWHERE) meter.attach(device, direction);
  const dex = (): number => Number(meter.counters().dexPackets);
  expect(dex()).toBe(0);
  expect(await run()).toEqual(without);
  expect(dex()).toBeGreaterThan(without.length);
  const possible = new Set(frames.map(forwarded));
  for (const frame of without) expect(possible).toContain(frame);
  return without;
}

// Those for the router itself or for nobody are not forwarded, with or without a meter.
const CASES = wireCases().filter(
  (one) => one.packet.link !== null && one.packet.link.tags === undefined,
);

test("every wire case that is forwarded, sound or malformed", async () => {
  const arrived = await expectUnaltered(
    CASES.map((one) => one.octets),
    async (sender, frames) => sender.send("src0", ...frames),
  );
  const all = new Set(arrived);
  const sound = CASES.filter((one) => one.expect.kind === "flow");
  const kept = sound.filter((one) => all.has(forwarded(one.octets)));
  expect(kept.length).toBeGreaterThan(0.95 * sound.length);
  const malformed = CASES.filter((one) => one.expect.kind === "malformed");
  expect(malformed.some((one) => all.has(forwarded(one.octets)))).toBe(true);
});

test.each([14, 54, 60, 90])("headers in page fragments behind %i octets", async (linear) => {
  const payload = counting(5000);
  const frames = [
    dexPacket({ upper: [{ ...UDP, payload }] }),
    dexPacket({ extensionFlags: 0xff, upper: [{ ...UDP, payload }] }),
    dexPacket({ carrier: "destination", upper: [{ ...UDP, payload }] }),
    dexPacket({ upper: [INNER6, { ...UDP, payload }] }),
    dexPacket({ upper: [INNER4, { ...UDP, payload }] }),
    dexPacket({
      before: [{ kind: "other", type: 0x1e, data: counting(200) }],
      upper: [{ ...UDP, payload }],
    }),
    dexPacket({ length: 14, upper: [{ ...UDP, payload }] }),
  ].map(packetOctets);
  const arrived = await expectUnaltered(frames, async (sender, list) => {
    for (const frame of list) await sender.sendOffload("src0", frame, { headerLength: linear });
  });
  expect(arrived).toEqual(frames.map(forwarded));
});
