// A million messages to collectors of other people: not one error, not one gap in the sequence.
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import {
  compileEncoder,
  ElementRegistry,
  ExportingProcess,
  openUdp,
  recordLayout,
  Template,
  type TemplateField,
} from "../../src/ipfix/index.ts";
import { eventually } from "../lab/eventually.ts";
import { Nfacctd } from "../lab/nfacctd.ts";
import { Nfcapd } from "../lab/nfcapd.ts";
import { udpSocket } from "../lab/udp-port.ts";
import { destinationOf } from "../unit/ipfix/memory-transport.ts";

const MESSAGES = 1_000_000;

/** Messages between two looks at the receiver's buffer. */
const SLICE = 512;

/** Memory that the kernel takes for a short datagram in a receive buffer, rounded up. */
const DATAGRAM = 1024;

const OCTETS = 150;

const registry = new ElementRegistry();
const layout = recordLayout({
  source: 4,
  destination: 4,
  packets: 8,
  octets: 8,
  first: 8,
  last: 8,
});
const time = (name: string, field: string): TemplateField => ({
  element: registry.get(name),
  source: { kind: "time", field },
});
const constant = (name: string, value: number): TemplateField => ({
  element: registry.get(name),
  source: { kind: "constant", value },
});
const template = new Template(256, [
  time("flowStartMilliseconds", "first"),
  time("flowEndMilliseconds", "last"),
  { element: registry.get("sourceIPv4Address"), source: { kind: "octets", field: "source" } },
  {
    element: registry.get("destinationIPv4Address"),
    source: { kind: "octets", field: "destination" },
  },
  { element: registry.get("octetDeltaCount"), source: { kind: "unsigned", field: "octets" } },
  { element: registry.get("packetDeltaCount"), source: { kind: "unsigned", field: "packets" } },
  constant("sourceTransportPort", 40_000),
  constant("destinationTransportPort", 53),
  constant("protocolIdentifier", 17),
]);

// The packet that one record fills; the template's own message is shorter.
const MTU = 28 + 16 + 4 + template.recordLength;

function slice(): { buffer: ArrayBuffer; offsets: Uint32Array } {
  const buffer = new ArrayBuffer(SLICE * layout.size);
  const view = new DataView(buffer);
  const offsets = Uint32Array.from({ length: SLICE }, (_, i) => (i * layout.size) / 4);
  for (let at = 0; at < buffer.byteLength; at += layout.size) {
    view.setUint32(at + layout.fields.source!.offset, 0xc0000201);
    view.setUint32(at + layout.fields.destination!.offset, 0xc6336401);
    view.setBigUint64(at + layout.fields.packets!.offset, 1n, true);
    view.setBigUint64(at + layout.fields.octets!.offset, BigInt(OCTETS), true);
    view.setBigUint64(at + layout.fields.first!.offset, 1_720_000_000_000_000_000n, true);
    view.setBigUint64(at + layout.fields.last!.offset, 1_720_000_001_000_000_000n, true);
  }
  return { buffer, offsets };
}

/** What a collector's receive buffer surely holds: its half is what setsockopt(2) was asked for. */
async function receiveBuffer(asked: number): Promise<number> {
  const most = Number(await readFile("/proc/sys/net/core/rmem_max", "utf8"));
  return 2 * Math.min(asked, most);
}

/** Sends a million messages as fast as the receiver takes them: its buffer never runs over. */
async function flood(collector: { port: number; receiveBuffer: number }): Promise<void> {
  const transport = await openUdp({ host: "127.0.0.1", port: collector.port });
  const encoders = [compileEncoder(template, layout)];
  const destination = destinationOf(async () => transport);
  const options = { destination, observationDomainId: 7, encoders, mtu: MTU };
  const session = new ExportingProcess(options);
  try {
    const { buffer, offsets } = slice();
    const kinds = new Uint8Array(SLICE);
    const room = (await receiveBuffer(collector.receiveBuffer)) - SLICE * DATAGRAM;
    expect(room).toBeGreaterThan(0);
    const look = async () => (await udpSocket(collector.port))!;
    for (let sent = 0; sent < MESSAGES; sent += SLICE) {
      await eventually("the receiver reads", async () => (await look()).queue <= room / 2, {
        every: 1,
      });
      await session.export(buffer, offsets, Math.min(SLICE, MESSAGES - sent), kinds);
    }
    expect((await look()).drops).toBe(0);
    const { records, messages, templateMessages, droppedRecords } = session.counters;
    expect({ records, droppedRecords }).toEqual({ records: MESSAGES, droppedRecords: 0 });
    expect(messages - templateMessages).toBe(MESSAGES);
  } finally {
    session.close();
  }
}

it("nfcapd takes a million messages without an error or a gap", async () => {
  await using collector = await Nfcapd.start();
  await flood(collector);
  const result = await collector.stop({ flows: false });
  expect(result).toMatchObject({ sequenceErrors: 0, badPackets: 0 });
  expect(result).toMatchObject({ packets: MESSAGES, octets: OCTETS * MESSAGES });
  expect(result.log.replace(/(Sequence Errors|Bad Packets): 0/g, "")).not.toMatch(
    /error|warn|unknown|skip|bad/i,
  );
});

it("nfacctd takes a million messages without an error or a gap", async () => {
  await using collector = await Nfacctd.start({ pipe: 2 ** 28 });
  await flood(collector);
  const { flows, complaints } = await collector.stop();
  // Its core has read them all, and knows the sequence numbers.
  expect(complaints).toEqual([]);
  expect(flows).toHaveLength(1);
  // Its plugin cannot count so fast: on a busy machine it has lost some, and once found one more.
  expect(Number(flows[0]!.packets)).toBeGreaterThan(0.99 * MESSAGES);
  expect(flows[0]!.bytes).toBe(OCTETS * Number(flows[0]!.packets));
});
