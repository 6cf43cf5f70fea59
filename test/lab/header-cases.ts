// Wire cases of what follows the options header: tunnels, extension headers, transports.
import { dexPacket } from "./dex-packet.ts";
import { type AuthenticationLayer, ipOctets, type Layer } from "./packet.ts";
import { INNER4, INNER6, SECOND_DEX, UDP } from "./samples.ts";
import { counting } from "./transport.ts";
import { ignored, metered, type WireCase } from "./wire-case.ts";

/** Packets tunnelled in IPv6 and in IPv4 (protocols 41 and 4). */
export function tunnelCases(): WireCase[] {
  const tcp: Layer = { kind: "tcp", sourcePort: 443, destinationPort: 50000 };
  const alert: Layer = { kind: "hopByHop", options: [{ kind: "routerAlert", value: 0 }] };
  return [
    metered("IPv6 in IPv6, UDP", dexPacket({ upper: [INNER6, UDP] })),
    metered("IPv6 in IPv6, TCP", dexPacket({ upper: [INNER6, tcp] })),
    metered(
      "IPv6 in IPv6, Destination options inside",
      dexPacket({
        upper: [INNER6, { kind: "destination", options: [] }, UDP],
      }),
    ),
    metered("IPv6 in IPv6, Hop-by-Hop inside", dexPacket({ upper: [INNER6, alert, UDP] })),
    metered(
      "IPv6 in IPv6, later fragment inside",
      dexPacket({
        upper: [
          INNER6,
          { kind: "fragment", offset: 10, more: false, identification: 5 },
          { kind: "raw", protocol: 17, octets: counting(24) },
        ],
      }),
    ),
    metered(
      "IPv6 in IPv6, both with DEX: the outer one counts",
      dexPacket({
        upper: [INNER6, { kind: "hopByHop", options: [SECOND_DEX] }, UDP],
      }),
    ),
    metered(
      "IPv6 in IPv6 by a Destination option",
      dexPacket({
        carrier: "destination",
        upper: [INNER6, UDP],
      }),
    ),
    metered("IPv4 in IPv6, UDP", dexPacket({ upper: [INNER4, UDP] })),
    metered("IPv4 in IPv6, TCP", dexPacket({ upper: [INNER4, tcp] })),
    metered(
      "IPv4 in IPv6, IPv4 options",
      dexPacket({
        upper: [{ ...INNER4, options: new Uint8Array([1, 1, 1, 0, 1, 1, 1, 0]) }, UDP],
      }),
    ),
    metered(
      "IPv4 in IPv6, later fragment",
      dexPacket({
        upper: [
          { ...INNER4, fragmentOffset: 10 },
          { kind: "raw", protocol: 17, octets: counting(24) },
        ],
      }),
    ),
    metered(
      "tunnel behind a Routing header",
      dexPacket({
        upper: [{ kind: "routing", segmentsLeft: 0, segments: ["fd00:2::1"] }, INNER6, UDP],
      }),
    ),
    ignored("DEX in the inner packet alone", {
      link: {},
      layers: [INNER6, ...dexPacket().layers],
    }),
  ];
}

/** What may stand between the options and the transport header, and the transports themselves. */
export function extensionHeaderCases(): WireCase[] {
  const routing: Layer = { kind: "routing", segmentsLeft: 1, segments: ["fd00:9::1", "fd00:2::1"] };
  const ah: AuthenticationLayer = { kind: "authentication", spi: 0x100, sequence: 1 };
  const whole = ipOctets({ link: null, layers: [dexPacket().layers[0]!, UDP] }).subarray(40);
  const fragment = (offset: number, more: boolean): Layer => ({
    kind: "fragment",
    offset,
    more,
    identification: 0xdeadbeef,
  });
  const first: Layer = { kind: "raw", protocol: 17, octets: whole.subarray(0, 48) };
  const later: Layer = { kind: "raw", protocol: 17, octets: whole.subarray(48) };
  const ports = { sourcePort: 40000, destinationPort: 53000 };
  return [
    metered("Routing header", dexPacket({ upper: [routing, UDP] })),
    metered(
      "Destination options, Routing, Destination options",
      dexPacket({
        upper: [
          { kind: "destination", options: [] },
          routing,
          { kind: "destination", options: [] },
          UDP,
        ],
      }),
    ),
    metered(
      "DEX in Destination options after Routing",
      dexPacket({
        carrier: "destination",
        between: [routing],
      }),
    ),
    metered("Authentication header", dexPacket({ upper: [ah, UDP] })),
    metered(
      "Authentication header with a long check value",
      dexPacket({
        upper: [{ ...ah, icvOctets: 36 }, UDP],
      }),
    ),
    metered("first fragment", dexPacket({ upper: [fragment(0, true), first] }), ports),
    metered("later fragment: no ports", dexPacket({ upper: [fragment(6, false), later] })),
    metered("only fragment", dexPacket({ upper: [fragment(0, false), UDP] })),
    metered(
      "Routing, first fragment, Authentication",
      dexPacket({
        upper: [routing, fragment(0, true), ah, first],
      }),
      ports,
    ),
    // what follows a later fragment's header is the middle of the packet, not an AH
    metered("Routing, later fragment", dexPacket({ upper: [routing, fragment(6, true), later] })),
    metered("TCP", dexPacket({ upper: [{ kind: "tcp", sourcePort: 443, destinationPort: 1025 }] })),
    metered(
      "SCTP",
      dexPacket({ upper: [{ kind: "sctp", sourcePort: 2905, destinationPort: 2906 }] }),
    ),
    metered("ICMPv6", dexPacket({ upper: [{ kind: "icmpv6", type: 128, code: 0 }] })),
    metered("ESP", dexPacket({ upper: [{ kind: "esp", spi: 0x200, sequence: 3 }] })),
    metered("no next header", dexPacket({ upper: [] })),
    metered(
      "unknown protocol 253",
      dexPacket({
        upper: [{ kind: "raw", protocol: 253, octets: counting(16) }],
      }),
    ),
    metered("UDP without payload", dexPacket({ upper: [{ ...UDP, payload: new Uint8Array(0) }] })),
    metered("UDP of 1300 octets", dexPacket({ upper: [{ ...UDP, payload: counting(1300) }] })),
  ];
}
