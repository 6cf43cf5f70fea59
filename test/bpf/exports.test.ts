// Packets on their way to a collector are counted, not metered; all others are metered as ever.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ExportDestination } from "../../src/meter/index.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { packetOctets } from "../lab/packet.ts";
import type { WireCase } from "../lab/wire-case.ts";
import { wireCases } from "../lab/wire-cases.ts";
import { UnpinnedMeter } from "./unpinned-meter.ts";

let meter: UnpinnedMeter;
beforeAll(() => {
  meter = new UnpinnedMeter();
});
afterAll(() => meter.close());
afterEach(() => meter.setExportDestinations([]));

const PROTOCOLS: Readonly<Record<number, ExportDestination["protocol"]>> = { 6: "tcp", 17: "udp" };

/** Where a packet goes, if it is one that could be an export. */
function destinationOf({ expect: wanted }: WireCase): ExportDestination | undefined {
  if (wanted.kind !== "flow") return undefined;
  const { destination, destinationPort, protocol: number } = wanted.flow;
  const protocol = PROTOCOLS[number];
  if (protocol === undefined || destinationPort === undefined) return undefined;
  return { address: destination, port: destinationPort, protocol };
}

/** What became of a packet: the counters of DEX packets that went up, and the flows. */
function pass(octets: Uint8Array, program = "ioam_ingress"): Record<string, number> {
  meter.clear();
  const before = meter.counters();
  const { retval, dataOut } = meter.run(octets, program);
  expect(retval).toBe(-1);
  expect(Buffer.from(dataOut).equals(Buffer.from(octets))).toBe(true);
  const after = meter.counters();
  const by = (name: string): number => Number(after[name]! - before[name]!);
  expect(by("packets")).toBe(1);
  return {
    dexPackets: by("dexPackets"),
    dexOctets: by("dexOctets"),
    collectorPackets: by("collectorPackets"),
    collectorOctets: by("collectorOctets"),
    flows: meter.flows().length,
  };
}

// The types of those without a link layer are found at octet 12: see wire.test.ts.
const CASES = wireCases()
  .filter((one) => one.packet.link !== null && one.octets.length >= 54)
  .map((one) => [one.name, one, destinationOf(one)] as const);
const EXPORTS = CASES.filter(([, , to]) => to !== undefined);
const OTHERS = CASES.filter(([, one, to]) => to === undefined && one.expect.kind === "flow");

describe("every packet with a port, in tunnels by the inner addresses", () => {
  test.each(EXPORTS)("%s", (_, { octets, expect: wanted }, to) => {
    const length = wanted.kind === "flow" ? wanted.flow.octets : 0;
    const metered = {
      dexPackets: 1,
      dexOctets: length,
      collectorPackets: 0,
      collectorOctets: 0,
      flows: 1,
    };
    const { address, port, protocol } = to!;
    const other = address.includes(":") ? "2001:db8::77" : "192.0.2.77";
    for (const nearby of [
      { address: other, port, protocol },
      { address, port: port ^ 0x100, protocol },
      { address, port, protocol: protocol === "udp" ? ("tcp" as const) : ("udp" as const) },
    ]) {
      meter.setExportDestinations([nearby]);
      expect(pass(octets)).toEqual(metered);
    }
    meter.setExportDestinations([{ address: other, port, protocol }, to!]);
    for (const program of ["ioam_ingress", "ioam_egress"]) {
      expect(pass(octets, program)).toEqual({
        ...metered,
        collectorPackets: 1,
        collectorOctets: length,
        flows: 0,
      });
    }
    meter.setExportDestinations([]);
    expect(pass(octets)).toEqual(metered);
  });
});

describe("what has no ports is no export, whatever the list", () => {
  test.each(OTHERS)("%s", (_, { octets, expect: wanted }) => {
    const address = wanted.kind === "flow" ? wanted.flow.destination : "";
    const everything = (["udp", "tcp"] as const).flatMap((protocol) =>
      [0, 53000, 50000, 1025].map((port) => ({ address, port, protocol })),
    );
    meter.setExportDestinations(everything);
    expect(pass(octets)).toMatchObject({ dexPackets: 1, collectorPackets: 0, flows: 1 });
  });
});

test("what cannot be read, and what is not asked for, is counted as that all the same", () => {
  const to: ExportDestination = { address: "fd00:2::1", port: 53000, protocol: "udp" };
  using only = new OnlyNamespace(7);
  only.meter.setExportDestinations([to]);
  only.meter.run(packetOctets(dexPacket({ namespace: 8 })));
  only.meter.run(packetOctets(dexPacket({ namespace: 7, extensionFlags: 0xc0, length: 10 })));
  only.meter.run(packetOctets(dexPacket({ namespace: 7 })));
  expect(only.meter.counters()).toMatchObject({
    dexPackets: 3n,
    namespaceFiltered: 1n,
    dexMalformed: 1n,
    collectorPackets: 1n,
  });
  expect(only.meter.flows()).toEqual([]);
});

class OnlyNamespace {
  readonly meter: UnpinnedMeter;

  constructor(namespace: number) {
    this.meter = new UnpinnedMeter({ namespaces: [namespace] });
  }

  [Symbol.dispose](): void {
    this.meter.close();
  }
}

test("lists of up to 64, each replaced by the next; addresses in any form", () => {
  const to = (port: number): ExportDestination => ({ address: "fd00:2::1", port, protocol: "udp" });
  const isExport = (port: number): boolean => {
    const upper = [{ kind: "udp", sourcePort: 40000, destinationPort: port } as const];
    return pass(packetOctets(dexPacket({ upper }))).collectorPackets === 1;
  };
  const ports = Array.from({ length: 65 }, (_, i) => 1000 + i);
  meter.setExportDestinations(ports.slice(0, 64).map(to));
  expect(ports.filter(isExport)).toEqual(ports.slice(0, 64));
  expect(() => meter.setExportDestinations(ports.map(to))).toThrow(
    expect.objectContaining({ code: "TOO_MANY_DESTINATIONS" }),
  );
  expect(ports.filter(isExport)).toEqual(ports.slice(0, 64));
  for (const some of [ports.slice(3, 5), ports.slice(60), [], ports.slice(0, 1)]) {
    meter.setExportDestinations(some.map(to));
    expect(ports.filter(isExport)).toEqual(some);
  }
  // The same one many times is one.
  const same = ["fd00:2::1", "FD00:2:0::0:1", "fd00:2::1%eth0"].map((address) => ({
    ...to(1000),
    address,
  }));
  meter.setExportDestinations(Array.from({ length: 30 }, () => same).flat());
  expect(isExport(1000)).toBe(true);
  expect(() => meter.setExportDestinations([{ ...to(1), address: "collector" }])).toThrow(
    expect.objectContaining({ code: "BAD_ADDRESS" }),
  );
});

test("an IPv4 collector written as an IPv6 address: its packets are those of IPv4", () => {
  const inner = EXPORTS.find(([name]) => name === "IPv4 in IPv6, UDP")!;
  const [, { octets }, to] = inner;
  meter.setExportDestinations([{ ...to!, address: `::ffff:${to!.address}` }]);
  expect(pass(octets)).toMatchObject({ collectorPackets: 1, flows: 0 });
});

test("an IPv6 collector whose last octets are written as IPv4: no packets of IPv4 are its", () => {
  const inner = EXPORTS.find(([name]) => name === "IPv4 in IPv6, UDP")!;
  const [, { octets }, to] = inner;
  meter.setExportDestinations([{ ...to!, address: `::${to!.address}` }]);
  expect(pass(octets)).toMatchObject({ collectorPackets: 0, flows: 1 });
});
