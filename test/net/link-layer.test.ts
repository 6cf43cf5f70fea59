// Every wire case on real devices: without a link layer (tun), with one (veth), tags beside the
// packet, headers in page fragments.
import { describe, expect, test } from "vitest";
import type { Direction, Meter } from "../../src/meter/index.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { expectedFlow } from "../lab/expected-flow.ts";
import { concat } from "../lab/octets.ts";
import type { ObservationPoint } from "../lab/reported-flow.ts";
import { station } from "../lab/station.ts";
import { counting } from "../lab/transport.ts";
import { metered, type WireCase } from "../lab/wire-case.ts";
import { wireCases } from "../lab/wire-cases.ts";
import { deviceLab } from "./device-lab.ts";
import { runWireCases } from "./wire-run.ts";
import { witness } from "./witness.ts";

const CASES = wireCases();
const PLAIN = CASES.filter((one) => one.packet.link === null);
const ETHERNET = CASES.filter((one) => one.packet.link !== null);

function attach(meter: Meter, device: string, direction: Direction): ObservationPoint {
  const { attachment } = meter.attach(device, direction);
  return { interfaceName: device, ifindex: attachment.ifindex, direction };
}

describe("a tun device", () => {
  test("has the cases that a test run refuses, too", () => {
    expect(PLAIN.filter((one) => one.octets.length < 54).length).toBeGreaterThan(2);
  });

  test("what comes in by it", async () => {
    await using lab = await deviceLab();
    const meter = lab.meter();
    await using sender = station(lab.netns);
    await sender.openTun("tun0");
    const at = attach(meter, "tun0", "ingress");
    await runWireCases(meter, at, PLAIN, (...packets) => sender.sendTun("tun0", ...packets));
  });

  test("what leaves by it", async () => {
    await using lab = await deviceLab();
    const meter = lab.meter();
    await using sender = station(lab.netns);
    await sender.openTun("tun0");
    const at = attach(meter, "tun0", "egress");
    await runWireCases(meter, at, PLAIN, (...packets) => sender.send("tun0", ...packets));
  });
});

describe("a veth device", () => {
  test("what comes in by it, outer tags beside the packet", async () => {
    await using lab = await deviceLab();
    using seen = witness(lab.netns, "d0");
    const meter = lab.meter();
    await using sender = station(lab.netns);
    const at = attach(meter, "d0", "ingress");
    await runWireCases(meter, at, ETHERNET, (...frames) => sender.send("p0", ...frames));
    const tagged = ETHERNET.filter((one) => (one.packet.link?.tags ?? []).length > 0);
    expect(seen.count("tagged")).toBe(tagged.length);
    expect(tagged.length).toBeGreaterThan(4);
  });

  test("what leaves by it, tags in the packet", async () => {
    await using lab = await deviceLab();
    using seen = witness(lab.netns, "d0", { direction: "egress" });
    const meter = lab.meter();
    await using sender = station(lab.netns);
    const at = attach(meter, "d0", "egress");
    await runWireCases(meter, at, ETHERNET, (...frames) => sender.send("d0", ...frames));
    expect(seen.count("tagged")).toBe(0);
  });
});

test.each([
  ["one", "tag_once", [{ id: 100 }]],
  ["two, the inner one in the packet", "tag_twice", [{ id: 200, protocol: 0x88a8 }, { id: 300 }]],
] as const)("what leaves with tags beside the packet: %s", async (_, program, tags) => {
  await using lab = await deviceLab();
  using seen = witness(lab.netns, "d0", { direction: "egress", tags: program });
  const meter = lab.meter();
  await using sender = station(lab.netns);
  const at = attach(meter, "d0", "egress");
  const cases = ETHERNET.filter((one) => one.packet.link?.tags === undefined);
  const tagged = cases.flatMap((one): WireCase[] => {
    if (one.expect.kind !== "flow") return [];
    const flow = { ...one.expect.flow, vlanId: tags[0].id, customerVlanId: tags[1]?.id };
    return [{ ...one, expect: { ...one.expect, flow } }];
  });
  await runWireCases(meter, at, tagged, (...frames) => sender.send("d0", ...frames));
  expect(seen.count("tagged")).toBe(tagged.length);
});

/** The same case with so much payload that its headers need not be in the linear part. */
function enlarged(one: WireCase): WireCase[] {
  const last = one.packet.layers.at(-1);
  const fragments = one.packet.layers.some((layer) => layer.kind === "fragment");
  if (one.expect.kind !== "flow" || last?.kind !== "udp" || fragments) return [];
  const layers = [...one.packet.layers.slice(0, -1), { ...last, payload: counting(4800) }];
  const packet = { ...one.packet, layers };
  return [metered(one.name, packet, { octets: expectedFlow(packet)!.octets })];
}

describe("headers in page fragments", () => {
  // Of the combinations of extension flags a few.
  const cases = ETHERNET.flatMap(enlarged).filter(
    (one, i) => !one.name.includes("extension flags") || i % 8 === 0,
  );

  test.each([14, 40, 54, 60, 77, 100])("%i octets in the linear part", async (linear) => {
    await using lab = await deviceLab();
    // GRO would put the headers into the linear part.
    await lab.netns.features("d0", { gro: false });
    await lab.netns.ip("link set d0 mtu 9000", "link set p0 mtu 9000");
    using seen = witness(lab.netns, "d0", { first: true });
    const meter = lab.meter();
    await using sender = station(lab.netns);
    const at = attach(meter, "d0", "ingress");
    // All cases with nothing but the Ethernet header; some of them with more.
    const chosen = linear === 14 ? cases : cases.filter((_, i) => i % 6 === 0);
    await runWireCases(meter, at, chosen, async (...frames) => {
      for (const frame of frames) await sender.sendOffload("p0", frame, { headerLength: linear });
    });
    expect(seen.count("packets")).toBe(chosen.length);
    expect(seen.count("scattered")).toBe(chosen.length);
    expect(seen.linear).toBeLessThanOrEqual(linear);
  });

  test("a cut-off packet is malformed, not read beyond its end", async () => {
    await using lab = await deviceLab();
    await lab.netns.features("d0", { gro: false });
    await lab.netns.ip("link set d0 mtu 9000", "link set p0 mtu 9000");
    const meter = lab.meter();
    await using sender = station(lab.netns);
    const at = attach(meter, "d0", "ingress");
    const whole = enlarged(metered("whole", dexPacket()))[0]!;
    const cut = concat(whole.octets.subarray(0, 4500));
    await runWireCases(
      meter,
      at,
      [{ ...whole, octets: cut, expect: { kind: "malformed", octets: 4500 - 14 } }],
      async (frame) => sender.sendOffload("p0", frame!, { headerLength: 14 }),
    );
  });
});
