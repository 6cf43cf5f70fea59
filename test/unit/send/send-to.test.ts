// Sending to one destination: what is said of collectors that do not take the records.
import { describe, expect, it } from "vitest";
import { IoamctlError } from "../../../src/errors.ts";
import { DEFAULT_ENTERPRISE_NUMBERS } from "../../../src/ipfix/index.ts";
import { parseRecords } from "../../../src/send/records-file.ts";
import { type SendOptions, sendTo } from "../../../src/send/send-to.ts";
import { Decoder } from "../../conformance/decoder.ts";
import { eventually } from "../../lab/eventually.ts";
import { destinationOf, MemoryTransport } from "../ipfix/memory-transport.ts";

const file = parseRecords(
  `templates: { t: { elements: [octetDeltaCount, ioamNodeId] } }
records: [{ template: t, repeat: 2500, values: { octetDeltaCount: 1, ioamNodeId: 2 } }]`,
  "r.yaml",
  DEFAULT_ENTERPRISE_NUMBERS,
);

const options: SendOptions = {
  observationDomainId: 7,
  timeout: 60_000,
  typeInformation: undefined,
  signal: new AbortController().signal,
};

const to = (destination: MemoryTransport["destination"]) => ({
  destination,
  isRefusedLate: false,
});

describe("records for one destination", () => {
  it("are sent, and what their elements are, before", async () => {
    const transport = new MemoryTransport();
    transport.reliable = true;
    const typeInformation = { observationDomainId: 0, period: 600 };
    const result = await sendTo(to(transport.destination), file, { ...options, typeInformation });
    expect(result).toEqual({
      destination: "memory",
      records: 2500,
      droppedRecords: 0,
      messages: transport.messages.length,
      octets: transport.messages.reduce((sum, { length }) => sum + length, 0),
    });
    const decoder = new Decoder();
    const messages = transport.messages.map((octets) => decoder.decode(octets));
    expect(decoder.gaps).toBe(0);
    const [told, ...others] = messages.filter(({ records }) => records.length > 0);
    expect([told!.domain, told!.records.length]).toEqual([0, 1]);
    expect(new Set(others.map(({ domain }) => domain))).toEqual(new Set([7]));
    expect(transport.closed).toBe(true);
  });

  it("are given up when there is no answer in time", async () => {
    const silent = destinationOf(() => new Promise(() => {}));
    const { records, error } = await sendTo(to(silent), file, { ...options, timeout: 20 });
    expect(records).toBe(0);
    expect(error).toMatchObject({
      code: "COLLECTOR_UNREACHABLE",
      message: "no answer within 20 ms: see that a collector is there",
    });
  });

  it("are given up when the collector takes no more, and counted", async () => {
    const transport = new MemoryTransport();
    transport.reliable = true;
    // Announcements and the first messages, then no room ever again.
    transport.behaviours.push(1, 1, 1, ...Array.from({ length: 100_000 }, () => 0));
    transport.writable = () => new Promise(() => {});
    const result = await sendTo(to(transport.destination), file, { ...options, timeout: 50 });
    expect(result.error).toMatchObject({ code: "COLLECTOR_SLOW" });
    expect(result.records).toBeGreaterThan(0);
    expect(result.records).toBeLessThan(1000);
    // The first thousand was handed over, and not the rest.
    expect(result.records + result.droppedRecords).toBe(1000);
  });

  it("are not given up for the pace that they have to keep", async () => {
    const transport = new MemoryTransport();
    // A thousand records take half a second.
    const target = { ...to(transport.destination), maxRate: 200_000 };
    const result = await sendTo(target, file, { ...options, timeout: 200 });
    expect(result).toMatchObject({ records: 2500, droppedRecords: 0 });
    expect(result.error).toBeUndefined();
  });

  it("are all counted when they are interrupted at that pace", async () => {
    const interrupt = new AbortController();
    const transport = new MemoryTransport();
    const target = { ...to(transport.destination), maxRate: 200_000 };
    const sending = sendTo(target, file, { ...options, signal: interrupt.signal });
    // Templates, and the first of the thousand that were handed over.
    await eventually("messages are sent", () => transport.messages.length > 4);
    interrupt.abort();
    const { records, droppedRecords } = await sending;
    expect(records).toBeGreaterThan(0);
    expect(records + droppedRecords).toBe(1000);
  });

  it("say why there is no session", async () => {
    const destination = destinationOf(async () => {
      throw new IoamctlError("TLS_REFUSED", "the certificate has expired");
    });
    const { error } = await sendTo(to(destination), file, options);
    expect(error).toMatchObject({ code: "TLS_REFUSED", message: "the certificate has expired" });
  });

  it("end when they are interrupted while there is no answer yet", async () => {
    const interrupt = new AbortController();
    const silent = destinationOf(() => {
      setImmediate(() => interrupt.abort());
      return new Promise(() => {});
    });
    const { signal } = interrupt;
    const result = await sendTo(to(silent), file, { ...options, timeout: 86_400_000, signal });
    expect(result).toMatchObject({ records: 0 });
    expect(result.error).toBeUndefined();
  });

  it("end without an error when they are interrupted", async () => {
    const interrupt = new AbortController();
    const transport = new MemoryTransport();
    transport.behaviours.push(...Array.from({ length: 100_000 }, () => 0));
    transport.writable = () => {
      interrupt.abort();
      return new Promise(() => {});
    };
    const { signal } = interrupt;
    const result = await sendTo(to(transport.destination), file, { ...options, signal });
    expect(result).toMatchObject({ records: 0 });
    expect(result.error).toBeUndefined();
  });
});
