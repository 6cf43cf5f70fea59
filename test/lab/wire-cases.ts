// Every shape of packet with IOAM that is seen on the wire, and what the meter ought to report of it.
import { dexPacket } from "./dex-packet.ts";
import { extensionHeaderCases, tunnelCases } from "./header-cases.ts";
import { malformedCases } from "./malformed-cases.ts";
import {
  edgeToEdge,
  FLOW_ID,
  IOAM_FIXED,
  IOAM_MUTABLE,
  type Option,
  proofOfTransit,
} from "./options.ts";
import type { Packet } from "./packet.ts";
import { INNER4, SECOND_DEX, UDP } from "./samples.ts";
import { counting } from "./transport.ts";
import { ignored, metered, noDex, onLayer3, type WireCase } from "./wire-case.ts";

const TRACE: Option = {
  kind: "trace",
  namespace: 123,
  nodeLength: 2,
  remainingLength: 4,
  traceType: 0xc00000,
  data: counting(16),
};
function withOptions(...options: Option[]): Packet {
  const base = dexPacket();
  return { ...base, layers: [base.layers[0]!, { kind: "hopByHop", options }, UDP] };
}

function optionTypes(): WireCase[] {
  const cases: WireCase[] = [];
  for (const type of [IOAM_FIXED, IOAM_MUTABLE]) {
    const name = `option 0x${type.toString(16)}`;
    for (let flags = 0; flags < 256; flags++) {
      const packet = dexPacket({ type, extensionFlags: flags, sequence: 0x01020304 });
      cases.push(
        metered(`${name}, extension flags 0x${flags.toString(16).padStart(2, "0")}`, packet),
      );
    }
    cases.push(
      metered(
        `${name}, flags and reserved all ones`,
        dexPacket({ type, flags: 0xff, reserved: 0xff }),
      ),
      metered(
        `${name}, TRex: padding counted in opt len 0x12, one field`,
        dexPacket({ type, extensionFlags: FLOW_ID, padding: 4 }),
      ),
      metered(`${name}, 8 octets of padding counted in opt len`, dexPacket({ type, padding: 8 })),
      metered(`${name} in Destination options`, dexPacket({ type, carrier: "destination" })),
      metered(
        `${name}, highest values`,
        dexPacket({
          type,
          namespace: 0xffff,
          traceType: 0xffffff,
          flowId: 0xffffffff,
          sequence: 0xffffffff,
          trafficClass: 0xff,
          flowLabel: 0xfffff,
          hopLimit: 255,
        }),
      ),
      metered(
        `${name}, zeros`,
        dexPacket({ type, namespace: 0, traceType: 0, flowId: 0, trafficClass: 0, flowLabel: 0 }),
      ),
    );
  }
  return cases;
}

function places(): WireCase[] {
  const other = (octets: number): Option => ({ kind: "other", type: 0x1e, data: counting(octets) });
  const alert: Option = { kind: "routerAlert", value: 0 };
  return [
    metered("after a Router Alert", dexPacket({ before: [alert] })),
    metered("after two Pad1", dexPacket({ before: [{ kind: "pad1" }, { kind: "pad1" }] })),
    metered("after a PadN of 6", dexPacket({ before: [{ kind: "padN", octets: 6 }] })),
    metered("after an unknown option", dexPacket({ before: [other(5)] })),
    metered("after an option without data", dexPacket({ before: [other(0)] })),
    metered("after six other options", dexPacket({ before: [1, 2, 3, 4, 5, 6].map(other) })),
    metered("after 200 octets of another option", dexPacket({ before: [other(200)] })),
    metered("before a Router Alert", dexPacket({ after: [alert] })),
    metered("at the end of a long header", dexPacket({ before: [other(250), other(250)] })),
    metered("after pre-allocated trace", dexPacket({ before: [TRACE] })),
    metered("before pre-allocated trace", dexPacket({ after: [TRACE] })),
    metered("after proof of transit", dexPacket({ before: [proofOfTransit(123, 1n, 2n)] })),
    metered("two DEX options of different namespaces", dexPacket({ after: [SECOND_DEX] })),
    metered(
      "DEX in Hop-by-Hop, E2E in Destination options",
      dexPacket({ upper: [{ kind: "destination", options: [edgeToEdge(123, 5)] }, UDP] }),
    ),
    metered(
      "DEX in Destination after Hop-by-Hop without IOAM",
      dexPacket({ carrier: "destination", between: [{ kind: "hopByHop", options: [alert] }] }),
    ),
    metered(
      "DEX in Hop-by-Hop and in Destination options",
      dexPacket({ upper: [{ kind: "destination", options: [SECOND_DEX] }, UDP] }),
    ),
  ];
}

function otherTypes(): WireCase[] {
  const cases = [
    noDex("pre-allocated trace alone", withOptions(TRACE), { trace: 1 }),
    noDex("proof of transit alone", withOptions(proofOfTransit(1, 2n, 3n)), { other: 1 }),
    noDex("edge to edge alone", withOptions(edgeToEdge(123, 5)), { other: 1 }),
    noDex("trace and edge to edge", withOptions(TRACE, edgeToEdge(1, 2)), { trace: 1, other: 1 }),
    noDex("Router Alert alone", withOptions({ kind: "routerAlert", value: 0 })),
    noDex("padding alone", withOptions()),
    noDex("another option alone", withOptions({ kind: "other", type: 0x1e, data: counting(4) })),
  ];
  for (const ioamType of [1, 5, 63, 64, 65, 68, 255]) {
    const option: Option = { kind: "ioam", ioamType, data: counting(12) };
    cases.push(
      noDex(`IOAM type ${ioamType} alone`, withOptions(option), { other: 1 }),
      metered(`after IOAM type ${ioamType}`, dexPacket({ before: [option] })),
    );
  }
  return cases;
}

function links(): WireCase[] {
  const plain = dexPacket();
  return [
    metered("VLAN", dexPacket({ link: { tags: [{ id: 100, priority: 5 }] } })),
    metered("VLAN 4094", dexPacket({ link: { tags: [{ id: 4094 }] } })),
    metered(
      "QinQ 0x88a8 and 0x8100",
      dexPacket({ link: { tags: [{ protocol: 0x88a8, id: 200 }, { id: 300 }] } }),
    ),
    metered("two tags 0x8100", dexPacket({ link: { tags: [{ id: 201 }, { id: 301 }] } })),
    metered("VLAN and tunnel", dexPacket({ link: { tags: [{ id: 100 }] }, upper: [INNER4, UDP] })),
    ignored("VLAN without options", {
      link: { tags: [{ id: 100 }] },
      layers: [plain.layers[0]!, UDP],
    }),
    ignored("IPv6 without options", { link: {}, layers: [plain.layers[0]!, UDP] }),
    ignored("IPv4", { link: {}, layers: [INNER4, UDP] }),
  ];
}

/** Every case with an Ethernet header, then every case without a link layer. */
export function wireCases(): WireCase[] {
  const cases = [
    ...optionTypes(),
    ...places(),
    ...otherTypes(),
    ...tunnelCases(),
    ...extensionHeaderCases(),
    ...links(),
    ...malformedCases(),
  ];
  const untagged = cases.filter((one) => (one.packet.link?.tags ?? []).length === 0);
  return [...cases, ...untagged.map(onLayer3)];
}
