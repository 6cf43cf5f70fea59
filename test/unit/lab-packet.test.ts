// The packet builder of the test laboratory against octets written down by hand.
import { describe, expect, it } from "vitest";
import { crc32c, onesSum, pseudoHeaderSum } from "../lab/checksum.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { expectedFlow } from "../lab/expected-flow.ts";
import { hex, unhex } from "../lab/octets.ts";
import { IOAM_MUTABLE, optionsOctets } from "../lab/options.ts";
import { ipOctets, packetOctets } from "../lab/packet.ts";
import { wireCases } from "../lab/wire-cases.ts";

const payload = unhex("01 02 03 04");
const upper = [{ kind: "udp" as const, sourcePort: 40000, destinationPort: 53000, payload }];

describe("packet builder", () => {
  it("builds the usual DEX packet", () => {
    const packet = dexPacket({ sequence: 5, upper });
    expect(hex(packetOctets(packet))).toBe(
      hex(
        unhex(`
          020000000102 020000000101 86dd
          62c12345 0024 00 40
          fd000001000000000000000000000001 fd000002000000000000000000000001
          11 02 0100  11 12 00 04  007b 00 c0 f00000 00  00abcdef 00000005
          9c40 cf08 000c 9680 01020304`),
      ),
    );
  });

  it("puts tags outermost first", () => {
    const link = { tags: [{ protocol: 0x88a8, id: 200, priority: 1 }, { id: 300 }] };
    const frame = hex(packetOctets(dexPacket({ link })));
    expect(frame.slice(24, 44)).toBe("88a820c88100012c86dd");
  });

  it("orders unknown extension fields by bit and pads the header", () => {
    const option = { type: IOAM_MUTABLE, extensionFlags: 0x43, sequence: 1 };
    const octets = hex(ipOctets(dexPacket({ ...option, upper })));
    expect(octets.slice(80, 80 + 64)).toBe(
      `1103010031160004007b0043f000000000000001${"bad0bad6"}${"bad0bad7"}01020000`,
    );
  });

  it("cuts or lies about the option's length", () => {
    const dex = { kind: "dex" as const, namespace: 1, extensionFlags: 0, traceType: 0 };
    expect(hex(optionsOctets([{ ...dex, length: 4 }]))).toBe("0100110400040001" + "010400000000");
    expect(hex(optionsOctets([{ ...dex, length: 200, lengthLies: true }]))).toBe(
      "010011c80004000100000000" + "0000",
    );
  });

  it("gives TCP, UDP and ICMPv6 checksums that verify", () => {
    for (const layer of [
      { kind: "udp", sourcePort: 1, destinationPort: 2 },
      { kind: "tcp", sourcePort: 1, destinationPort: 2 },
      { kind: "icmpv6", type: 128, code: 0 },
    ] as const) {
      const octets = ipOctets(dexPacket({ upper: [layer] }));
      const segment = octets.subarray(40 + 24);
      const protocol = { udp: 17, tcp: 6, icmpv6: 58 }[layer.kind];
      const pseudo = pseudoHeaderSum(
        octets.subarray(8, 24),
        octets.subarray(24, 40),
        protocol,
        segment.length,
      );
      expect(onesSum(segment, pseudo)).toBe(0xffff);
    }
  });

  it("computes CRC-32C", () => {
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  });
});

describe("expected flow", () => {
  it("takes addresses and ports from inside a tunnel and keeps the outer ones", () => {
    const inner = { kind: "ipv4" as const, source: "192.0.2.1", destination: "198.51.100.7" };
    expect(expectedFlow(dexPacket({ upper: [inner, ...upper] }))).toEqual({
      namespace: 123,
      traceType: "0xf00000",
      extensionFlags: 0xc0,
      flowId: 0xabcdef,
      sequence: 0,
      ipVersion: 4,
      source: "192.0.2.1",
      destination: "198.51.100.7",
      protocol: 17,
      sourcePort: 40000,
      destinationPort: 53000,
      flowLabel: 0x12345,
      trafficClass: 0x2c,
      hopLimit: 64,
      vlanId: undefined,
      customerVlanId: undefined,
      tunnelSource: "fd00:1::1",
      tunnelDestination: "fd00:2::1",
      octets: 40 + 24 + 20 + 12,
    });
  });
});

describe("wire cases", () => {
  const cases = wireCases();

  it("have names of their own", () => {
    expect(new Set(cases.map((one) => one.name)).size).toBe(cases.length);
  });

  it("state an IPv6 payload length that is the packet's, but where they are cut", () => {
    for (const { name, packet, expect: expectation } of cases) {
      if (packet.layers[0]?.kind !== "ipv6" || packet.cut !== undefined) continue;
      const octets = ipOctets(packet);
      expect(40 + ((octets[4]! << 8) | octets[5]!), name).toBe(octets.length);
      if (expectation.kind === "flow") expect(expectation.flow.octets, name).toBe(octets.length);
    }
  });

  it("cover both option types with each combination of extension flags", () => {
    const seen = new Set<string>();
    for (const { packet, octets } of cases) {
      if (packet.link !== null) seen.add(`${octets[14 + 44]} ${octets[14 + 44 + 7]}`);
    }
    for (const type of [0x11, 0x31]) {
      for (let flags = 0; flags < 256; flags++) expect(seen).toContain(`${type} ${flags}`);
    }
  });
});
