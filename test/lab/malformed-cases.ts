// Packets whose DEX option or options header is inconsistent: never metered, always counted.
import { type DexPacketOptions, dexPacket } from "./dex-packet.ts";
import { FLOW_ID, IOAM_FIXED, IOAM_MUTABLE, SEQUENCE } from "./options.ts";
import type { Packet } from "./packet.ts";
import { malformed, malformedOptions, type WireCase } from "./wire-case.ts";

/** Options header made of plain octets after next header and length; UDP follows. */
function rawHeader(octets: number[], extensionLength?: number): Packet {
  const packet = dexPacket();
  const fill = new Uint8Array(Math.max(0, 6 - octets.length));
  const header = [17, extensionLength ?? (octets.length + fill.length + 2) / 8 - 1];
  return {
    ...packet,
    layers: [
      packet.layers[0]!,
      { kind: "raw", protocol: 0, octets: new Uint8Array([...header, ...octets, ...fill]) },
      packet.layers[2]!,
    ],
  };
}

function shortOptions(type: number): WireCase[] {
  const name = `option 0x${type.toString(16)}`;
  const both = FLOW_ID | SEQUENCE;
  const cases = [2, 4, 8, 9].map((length) =>
    malformed(`${name}, opt len ${length} below 10`, dexPacket({ type, length })),
  );
  for (const [flags, length] of [
    [both, 17],
    [both, 14],
    [both, 10],
    [FLOW_ID, 13],
    [FLOW_ID, 10],
    [0x03, 14],
    [0xff, 38],
    [0xff, 18],
  ] as const) {
    cases.push(
      malformed(
        `${name}, opt len ${length} too short for extension flags 0x${flags.toString(16)}`,
        dexPacket({ type, extensionFlags: flags, length }),
      ),
    );
  }
  for (const length of [23, 200, 255]) {
    cases.push(
      malformed(
        `${name}, opt len ${length} beyond the header`,
        dexPacket({ type, length, lengthLies: true }),
      ),
    );
  }
  return cases;
}

/** All of them with an Ethernet header. */
export function malformedCases(): WireCase[] {
  const cutAt = (cut: number, o: DexPacketOptions = {}): Packet => ({ ...dexPacket(o), cut });
  return [
    ...shortOptions(IOAM_FIXED),
    ...shortOptions(IOAM_MUTABLE),
    malformed(
      "too short for its flags, in Destination options",
      dexPacket({ carrier: "destination", length: 14 }),
    ),
    malformedOptions("IOAM option with opt len 0", rawHeader([1, 0, IOAM_FIXED, 0, 1, 0])),
    malformedOptions("IOAM option with opt len 1", rawHeader([1, 0, IOAM_FIXED, 1, 0, 0])),
    malformedOptions("header ends after an option type", rawHeader([1, 3, 0, 0, 0, IOAM_FIXED])),
    malformedOptions("header ends after an option length", rawHeader([1, 2, 0, 0, IOAM_FIXED, 18])),
    malformedOptions("PadN beyond the header", rawHeader([1, 20, 0, 0, 0, 0])),
    malformedOptions("another option beyond the header", rawHeader([0x1e, 20, 0, 0, 0, 0])),
    malformedOptions("header beyond the packet", rawHeader([1, 4, 0, 0, 0, 0], 255)),
    malformedOptions("packet ends in the IPv6 header's options", cutAt(40 + 16)),
    malformedOptions("packet ends after the DEX header", cutAt(40 + 16, { extensionFlags: 0xff })),
    malformedOptions("packet ends after two octets of options", cutAt(40 + 2)),
    malformedOptions("packet ends with the IPv6 header", cutAt(40)),
    malformedOptions(
      "Destination header beyond the packet",
      cutAt(40 + 12, { carrier: "destination" }),
    ),
  ];
}
