// Records as newline-delimited JSON over the transports: whole lines, counted, over lost sessions.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { IoamctlError } from "../../../src/errors.ts";
import {
  ElementRegistry,
  JsonExporter,
  type JsonExporterOptions,
  openUdp,
  Template,
} from "../../../src/ipfix/index.ts";
import { eventually } from "../../lab/eventually.ts";
import { destinationOf, MemoryTransport } from "./memory-transport.ts";

const registry = new ElementRegistry();
const template = new Template(
  256,
  ["octetDeltaCount", "interfaceName"].map((name) => ({ element: registry.get(name) })),
);
const record = (i: number, interfaceName = "eth0") => ({ octetDeltaCount: i, interfaceName });
const several = (count: number) => Array.from({ length: count }, (_, i) => record(i));

const open: JsonExporter[] = [];
afterEach(async () => {
  for (const exporter of open.splice(0)) await exporter.close();
});

function exporterTo(
  destination: JsonExporterOptions["destination"],
  options: Partial<JsonExporterOptions> = {},
): JsonExporter {
  const exporter = new JsonExporter({ destination, ...options });
  open.push(exporter);
  return exporter;
}

const text = (octets: Uint8Array): string => Buffer.from(octets).toString();

/** The objects of packets that hold whole lines each. */
function objects(packets: readonly Uint8Array[]): unknown[] {
  return packets.flatMap((packet) => {
    expect(text(packet).endsWith("\n")).toBe(true);
    return text(packet)
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
  });
}

describe("an exporter of JSON", () => {
  it("sends whole lines, as many as fit a packet", async () => {
    const transport = new MemoryTransport();
    const exporter = exporterTo(transport.destination, { mtu: 228 });
    const result = await exporter.send(template, several(50));
    expect(result).toMatchObject({ sent: 50, error: undefined });
    expect(result.dropped).toHaveLength(0);
    expect(objects(transport.messages)).toEqual(several(50));
    for (const packet of transport.messages) expect(packet.length).toBeLessThanOrEqual(200);
    // 46 octets a line at most: none but the last packet has room for another.
    for (const packet of transport.messages.slice(0, -1))
      expect(packet.length).toBeGreaterThan(155);
    expect(exporter.counters).toMatchObject({
      sessions: 1,
      records: 50,
      messages: transport.messages.length,
      octets: transport.messages.reduce((sum, { length }) => sum + length, 0),
      templateMessages: 0,
      droppedRecords: 0,
    });
  });

  it("keeps to 512 octets of packet where the path's MTU is not known", async () => {
    const transport = new MemoryTransport();
    transport.mtu = undefined;
    await exporterTo(transport.destination).send(template, several(50));
    const lengths = transport.messages.map(({ length }) => length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(484);
    expect(lengths[0]).toBeGreaterThan(484 - 46);
  });

  it("sends a line that is longer than a packet alone", async () => {
    const transport = new MemoryTransport();
    const long = "x".repeat(3000);
    await exporterTo(transport.destination).send(template, [record(1), record(2, long), record(3)]);
    expect(objects(transport.messages)).toEqual([record(1), record(2, long), record(3)]);
    expect(transport.messages).toHaveLength(3);
  });

  it("writes text in UTF-8", async () => {
    const transport = new MemoryTransport();
    await exporterTo(transport.destination).send(template, [record(1, "häß€")]);
    expect(objects(transport.messages)).toEqual([record(1, "häß€")]);
  });

  it("sends nothing of records of which one does not fit", async () => {
    const transport = new MemoryTransport();
    const exporter = exporterTo(transport.destination);
    await expect(exporter.send(template, [record(1), record(-1)])).rejects.toMatchObject({
      code: "VALUE_INVALID",
    });
    expect(transport.messages).toEqual([]);
  });

  it("counts what a transport does not take, and goes on", async () => {
    const transport = new MemoryTransport();
    const exporter = exporterTo(transport.destination, { mtu: 228 });
    await exporter.send(template, several(1));
    transport.behaviours.push(1, ...Array.from({ length: 5 }, () => "EMSGSIZE"));
    const { sent, dropped, error } = await exporter.send(template, several(20));
    expect(error).toMatchObject({ code: "EMSGSIZE" });
    expect(sent + dropped.length).toBe(20);
    // The second packet.
    expect(Array.from(dropped)).toEqual([4, 5, 6, 7]);
    expect(exporter.counters).toMatchObject({ records: sent + 1, droppedRecords: dropped.length });
    const kept = several(20).filter((_, i) => !dropped.includes(i));
    expect(objects(transport.messages)).toEqual([record(0), ...kept]);
  });

  it("goes on in another session after one has ended", async () => {
    const transports: MemoryTransport[] = [];
    const destination = destinationOf(async () => {
      const transport = new MemoryTransport();
      transport.reliable = true;
      transports.push(transport);
      return transport;
    });
    const exporter = exporterTo(destination);
    await exporter.send(template, [record(1)]);
    transports[0]!.end(new IoamctlError("ECONNRESET", "reset"));
    await eventually("another session", () => transports.length === 2);
    await exporter.send(template, [record(2)]);
    expect(transports.map(({ messages }) => objects(messages))).toEqual([[record(1)], [record(2)]]);
    expect(exporter.counters).toMatchObject({ sessions: 2, records: 2, droppedRecords: 0 });
  });

  it("drops and counts records when their signal aborts before there is a session", async () => {
    const destination = destinationOf(
      async () => {
        throw new IoamctlError("COLLECTOR_UNREACHABLE", "nobody there");
      },
      { first: 60_000, most: 60_000 },
    );
    const exporter = exporterTo(destination);
    const giveUp = new AbortController();
    const sending = exporter.send(template, several(3), { signal: giveUp.signal });
    await eventually("a failed attempt", () => exporter.state === "waiting");
    giveUp.abort();
    const { sent, dropped, error } = await sending;
    expect([sent, Array.from(dropped), error?.code]).toEqual([
      0,
      [0, 1, 2],
      "COLLECTOR_UNREACHABLE",
    ]);
    expect(exporter.lastError?.code).toBe("COLLECTOR_UNREACHABLE");
    expect(exporter.counters).toMatchObject({ records: 0, droppedRecords: 3 });
  });

  it("refuses records once it is closed", async () => {
    const transport = new MemoryTransport();
    const exporter = exporterTo(transport.destination);
    await exporter.send(template, several(1));
    await exporter.close();
    expect(transport.closed).toBe(true);
    await expect(exporter.send(template, several(1))).rejects.toMatchObject({
      code: "SESSION_CLOSED",
    });
  });

  it("sends over UDP", async () => {
    const socket = createSocket("udp4");
    const received: Buffer[] = [];
    socket.on("message", (message) => received.push(message));
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    try {
      const { port } = socket.address();
      const destination = destinationOf(() => openUdp({ host: "127.0.0.1", port }));
      const exporter = exporterTo(destination, { mtu: 512 });
      const { sent } = await exporter.send(template, several(100));
      expect(sent).toBe(100);
      const { messages } = exporter.counters;
      await eventually("all datagrams", () => received.length === messages);
      expect(messages).toBeGreaterThan(5);
      expect(objects(received)).toEqual(several(100));
    } finally {
      socket.close();
    }
  });
});
