// The records of the comparison with other exporters: made up, the same as in bench/go-ipfix/record.go.

import {
  compileEncoder,
  ElementRegistry,
  type Encoder,
  type FieldSource,
  recordLayout,
  Template,
} from "../src/ipfix/index.ts";

/** How many records there are; they are sent again and again. */
export const RECORD_COUNT = 4096;

/** Unix time minus the records' clock, nanoseconds. */
export const CLOCK_OFFSET = 1_700_000_000_000_000_000n;

/** Octets from one record to the next: two cache lines, as of a flow with its sequence numbers. */
const RECORD_OCTETS = 128;

const { fields } = recordLayout({
  start: 8,
  end: 8,
  packets: 8,
  octets: 8,
  flowId: 8,
  source: 16,
  destination: 16,
  sourcePort: 2,
  destinationPort: 2,
  flowLabel: 4,
  ingress: 4,
  egress: 4,
  protocol: 1,
});

const ELEMENTS: readonly [string, FieldSource][] = [
  ["flowStartMilliseconds", { kind: "time", field: "start" }],
  ["flowEndMilliseconds", { kind: "time", field: "end" }],
  ["sourceIPv6Address", { kind: "octets", field: "source" }],
  ["destinationIPv6Address", { kind: "octets", field: "destination" }],
  ["sourceTransportPort", { kind: "octets", field: "sourcePort" }],
  ["destinationTransportPort", { kind: "octets", field: "destinationPort" }],
  ["protocolIdentifier", { kind: "unsigned", field: "protocol" }],
  ["flowLabelIPv6", { kind: "octets", field: "flowLabel" }],
  ["ingressInterface", { kind: "unsigned", field: "ingress" }],
  ["egressInterface", { kind: "unsigned", field: "egress" }],
  ["packetDeltaCount", { kind: "unsigned", field: "packets" }],
  ["octetDeltaCount", { kind: "unsigned", field: "octets" }],
  ["flowId", { kind: "unsigned", field: "flowId" }],
];

/** 89 octets in 13 fields. */
export function flowEncoder(): Encoder {
  const registry = new ElementRegistry();
  const template = new Template(
    256,
    ELEMENTS.map(([name, source]) => ({ element: registry.get(name), source })),
  );
  return compileEncoder(template, { size: RECORD_OCTETS, fields });
}

/** The records, and where each begins, in 32-bit words. */
export function makeRecords(): { buffer: ArrayBuffer; offsets: Uint32Array } {
  const buffer = new ArrayBuffer(RECORD_COUNT * RECORD_OCTETS);
  const view = new DataView(buffer);
  const offsets = new Uint32Array(RECORD_COUNT);
  for (let i = 0; i < RECORD_COUNT; i++) {
    const n = BigInt(i);
    const at = (name: keyof typeof fields): number => i * RECORD_OCTETS + fields[name]!.offset;
    view.setBigUint64(at("start"), 1_000_000_000n + 1_234_567n * n, true);
    view.setBigUint64(at("end"), 2_000_000_000n + 2_345_678n * n, true);
    view.setBigUint64(at("packets"), 1n + n, true);
    view.setBigUint64(at("octets"), 1500n * (1n + n), true);
    view.setBigUint64(at("flowId"), n << 33n, true);
    view.setUint32(at("source"), 0xfd000001);
    view.setUint32(at("source") + 12, i);
    view.setUint32(at("destination"), 0xfd000002);
    view.setUint32(at("destination") + 12, 2 * i);
    view.setUint16(at("sourcePort"), 1024 + i);
    view.setUint16(at("destinationPort"), 443);
    view.setUint32(at("flowLabel"), 3 * i);
    view.setUint32(at("ingress"), 2, true);
    view.setUint32(at("egress"), 3 + (i & 7), true);
    view.setUint8(at("protocol"), 17);
    offsets[i] = (i * RECORD_OCTETS) / 4;
  }
  return { buffer, offsets };
}
