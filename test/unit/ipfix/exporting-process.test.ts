// A transport session: messages, sequence numbers, templates, pacing, and what happens when sending fails.
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  compileEncoder,
  ElementRegistry,
  type Encoder,
  ExportingProcess,
  type ExportingProcessOptions,
  recordLayout,
  Template,
} from "../../../src/ipfix/index.ts";
import { Decoder, unsignedValue, type WireMessage } from "../../conformance/decoder.ts";
import { eventually } from "../../lab/eventually.ts";
import { anyRecord } from "./any-template.ts";
import { MemoryTransport } from "./memory-transport.ts";

const registry = new ElementRegistry();
const layout = recordLayout({ number: 4, address: 16 });

// Records of 20, 4 and 37 octets; all carry their number.
const encoders: Encoder[] = [
  new Template(256, [
    { element: registry.get("sourceIPv6Address"), source: { kind: "octets", field: "address" } },
    { element: registry.get("flowId"), length: 4, source: { kind: "unsigned", field: "number" } },
  ]),
  new Template(300, [
    { element: registry.get("flowId"), length: 4, source: { kind: "unsigned", field: "number" } },
  ]),
  new Template(999, [
    { element: registry.get("flowId"), length: 4, source: { kind: "unsigned", field: "number" } },
    { element: registry.get("sourceIPv6Address"), source: { kind: "octets", field: "address" } },
    {
      element: registry.get("interfaceName"),
      length: 16,
      source: { kind: "octets", field: "address" },
    },
    { element: registry.get("flowEndReason"), source: { kind: "context", name: "reason" } },
  ]),
].map((template) => compileEncoder(template, layout));

const context = { values: { reason: 2 } };

function table(count: number): { buffer: ArrayBuffer; offsets: Uint32Array } {
  const buffer = new ArrayBuffer(count * layout.size);
  const view = new DataView(buffer);
  const offsets = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    view.setUint32(i * layout.size, i, true);
    view.setUint32(i * layout.size + 4, 0x20010db8);
    offsets[i] = (i * layout.size) / 4;
  }
  return { buffer, offsets };
}

const sessions: ExportingProcess[] = [];
afterEach(() => {
  for (const session of sessions.splice(0)) session.close();
  vi.useRealTimers();
});

function open(
  options: Partial<ExportingProcessOptions> = {},
  transport = new MemoryTransport(),
): { session: ExportingProcess; transport: MemoryTransport } {
  const session = new ExportingProcess({
    destination: transport.destination,
    observationDomainId: 77,
    encoders,
    ...options,
  });
  sessions.push(session);
  return { session, transport };
}

/** Decodes all messages, checks what holds of every stream, and gives the messages. */
function decode(transport: MemoryTransport, limit = 1500 - 28): WireMessage[] {
  const decoder = new Decoder();
  const messages = transport.messages.map((message) => decoder.decode(message));
  expect(decoder.gaps).toBe(0);
  expect(messages[0]?.sequence ?? 0).toBe(0);
  for (const { length, domain } of messages) {
    expect(length).toBeLessThanOrEqual(limit);
    expect(domain).toBe(77);
  }
  return messages;
}

function numbers(messages: readonly WireMessage[]): number[] {
  return messages.flatMap(({ records }) =>
    records.map(({ template, values }) =>
      Number(unsignedValue(values[template.fields.findIndex(({ id }) => id === 148)])),
    ),
  );
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe("messages", () => {
  it("carry every record once, in order within a template, whatever is mixed", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(2), { maxLength: 3000 }),
        fc.integer({ min: 120, max: 9000 }),
        fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant("ECONNREFUSED")), {
          maxLength: 20,
        }),
        async (kinds, mtu, behaviours) => {
          const transport = new MemoryTransport();
          transport.mtu = undefined;
          transport.behaviours.push(...behaviours.filter((b, i) => b !== behaviours[i - 1]));
          const { session } = open({ mtu }, transport);
          const { buffer, offsets } = table(kinds.length);
          const result = await session.export(buffer, offsets, kinds.length, kinds, context);
          expect(result).toEqual({
            sent: kinds.length,
            dropped: new Uint32Array(),
            error: undefined,
          });
          const messages = decode(transport, mtu - 28);
          for (const kind of [0, 1, 2]) {
            const { id } = encoders[kind].template;
            const ofKind = messages.filter(({ sets }) => sets.includes(id));
            expect(numbers(ofKind)).toEqual(
              range(kinds.length).filter((number) => kinds[number] === kind),
            );
          }
          expect(session.counters.records).toBe(kinds.length);
          expect(session.counters.messages).toBe(transport.messages.length);
          expect(session.counters.octets).toBe(
            transport.messages.reduce((sum, { length }) => sum + length, 0),
          );
        },
      ),
      { numRuns: 100 },
    );
  });

  it("carry any template of any elements", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRecord(8, true), { minLength: 1, maxLength: 4 }),
        async (cases) => {
          const distinct = cases.filter(
            ({ template }, i) => cases.findIndex((c) => c.template.id === template.id) === i,
          );
          for (const test of distinct) {
            const transport = new MemoryTransport();
            const encoder = compileEncoder(test.template, test.layout);
            const { session } = open({ encoders: [encoder] }, transport);
            const words = test.record.length / 4;
            const copies = new Uint8Array(3 * test.record.length);
            for (const copy of [0, 1, 2]) copies.set(test.record, copy * test.record.length);
            const offsets = Uint32Array.of(0, words, 2 * words);
            await session.export(copies.buffer, offsets, 3, [0, 0, 0], test.context);
            const messages = decode(transport);
            const records = messages.flatMap((message) => message.records);
            expect(records).toHaveLength(3);
            for (const { template, values } of records) {
              expect(values.map((octets, k) => test.read[k](octets))).toEqual(test.expected);
              expect(template.scopeFieldCount).toBe(test.template.scopeFieldCount);
              expect(template.fields).toEqual(
                test.template.fields.map(({ element: { id, enterprise }, length }) => ({
                  id,
                  enterprise,
                  length,
                })),
              );
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([
    [undefined, undefined, 512],
    [undefined, 1500, 1500],
    [undefined, 65536, 9000],
    [1400, undefined, 1400],
    [1400, 1280, 1280],
    [1400, 1500, 1400],
  ])("with mtu %s on a path of %s fill packets of %i octets", async (mtu, path, packet) => {
    const transport = new MemoryTransport();
    transport.mtu = path;
    const { session } = open(mtu === undefined ? {} : { mtu }, transport);
    const { buffer, offsets } = table(5000);
    await session.export(buffer, offsets, 5000, new Uint8Array(5000), context);
    const longest = Math.max(...decode(transport, packet - 28).map(({ length }) => length));
    expect(longest).toBeGreaterThan(packet - 28 - 20);
  });

  it("follow the path's MTU as it changes", async () => {
    const { session, transport } = open();
    const { buffer, offsets } = table(500);
    await session.export(buffer, offsets, 500, new Uint8Array(500), context);
    const before = transport.messages.length;
    transport.mtu = 600;
    await session.export(buffer, offsets, 500, new Uint8Array(500), context);
    decode(transport);
    for (const message of transport.messages.slice(before)) {
      expect(message.length).toBeLessThanOrEqual(600 - 28);
    }
  });

  it("are not fitted to an mtu that is too small", async () => {
    const { session } = open({ mtu: 80 });
    expect(await session.firstAttempt()).toMatchObject({ code: "MTU_TOO_SMALL" });
    expect(session.counters).toMatchObject({ sessions: 0, messages: 0 });
  });

  it("are handed over many at a time, all but the last of one length", async () => {
    const { session, transport } = open();
    const { buffer, offsets } = table(20_000);
    await session.export(buffer, offsets, 20_000, new Uint8Array(20_000), context);
    expect(Math.max(...transport.calls)).toBeGreaterThan(40);
    expect(Math.max(...transport.calls)).toBeLessThanOrEqual(64);
    expect(transport.calls.length).toBeLessThan(15);
  });
});

describe("sequence numbers", () => {
  it("count data records over calls, also when none are sent between", async () => {
    const { session, transport } = open();
    const { buffer, offsets } = table(1000);
    for (const count of [10, 0, 1000, 1, 333]) {
      await session.export(buffer, offsets, count, new Uint8Array(count), context);
    }
    expect(decode(transport).at(-1)?.sequence).toBe(10 + 1000 + 1 + 333 - (333 % 72));
  });

  it("leave out what was not sent, so that there is no gap", async () => {
    const { session, transport } = open();
    const { buffer, offsets } = table(1000);
    await session.export(buffer, offsets, 100, new Uint8Array(100), context);
    // Three messages of the batch go, then the network is gone for good.
    transport.behaviours.push(1, 3, ...new Array(5).fill("ENETUNREACH"));
    const result = await session.export(buffer, offsets, 1000, new Uint8Array(1000), context);
    const perMessage = 72;
    expect(result.sent).toBe(3 * perMessage);
    expect([...result.dropped]).toEqual(range(1000).slice(3 * perMessage));
    expect(result.error).toMatchObject({ code: "ENETUNREACH" });
    expect(session.counters).toMatchObject({
      records: 100 + 3 * perMessage,
      droppedRecords: 1000 - 3 * perMessage,
      droppedMessages: Math.ceil(1000 / perMessage) - 3,
      refusals: 0,
    });
    await session.export(buffer, offsets, 10, new Uint8Array(10), context);
    expect(numbers(decode(transport)).slice(-10)).toEqual(range(10));
  });
});

describe("export time", () => {
  it("is the time of sending, and templates are sent again when the clock was set back", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { session, transport } = open();
    const { buffer, offsets } = table(1);
    for (const time of [1_800_000_000_999, 1_800_000_001_000, 1_700_000_000_000]) {
      vi.setSystemTime(time);
      await session.export(buffer, offsets, 1, [0], context);
    }
    const messages = decode(transport);
    expect(messages.map(({ exportTime, templates }) => [exportTime, templates.length])).toEqual([
      [1_800_000_000, 3],
      [1_800_000_000, 0],
      [1_800_000_001, 3],
      [1_800_000_001, 0],
      [1_700_000_000, 3],
      [1_700_000_000, 0],
    ]);
  });
});

describe("templates", () => {
  it("go before the first data, and twice at first", async () => {
    const { session, transport } = open();
    const { buffer, offsets } = table(1);
    for (let i = 0; i < 4; i++) await session.export(buffer, offsets, 1, [1], context);
    expect(decode(transport).map(({ sets }) => sets)).toEqual([
      [2],
      [300],
      [2],
      [300],
      [300],
      [300],
    ]);
    expect(session.counters).toMatchObject({ messages: 6, templateMessages: 2, records: 4 });
  });

  it("are spread over messages when they do not fit one", async () => {
    const { transport } = open({ mtu: 28 + 16 + 4 + 37 });
    await vi.waitUntil(() => transport.messages.length >= 2);
    const messages = decode(transport, 16 + 4 + 37);
    expect(messages.map(({ templates }) => templates.map(({ id }) => id))).toEqual([
      [256, 300],
      [999],
    ]);
  });

  it("are sent again when their refresh is due, also without data", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const { session, transport } = open({ templateRefresh: 600 });
    const { buffer, offsets } = table(1);
    for (let i = 0; i < 3; i++) await session.export(buffer, offsets, 1, [1], context);
    const sets = () => decode(transport).flatMap((message) => message.sets);
    expect(sets()).toEqual([2, 300, 2, 300, 300]);
    await vi.advanceTimersByTimeAsync(599_000);
    await session.export(buffer, offsets, 1, [1], context);
    expect(sets()).toHaveLength(6);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sets().slice(6)).toEqual([2]);
    await vi.advanceTimersByTimeAsync(1_200_000);
    expect(sets().slice(6)).toEqual([2, 2, 2]);
    await session.export(buffer, offsets, 1, [1], context);
    expect(sets().slice(6)).toEqual([2, 2, 2, 300]);
    session.close();
    await vi.advanceTimersByTimeAsync(1_200_000);
    expect(sets()).toHaveLength(10);
  });

  it("are sent again also when the event loop was busy as they were sent last", async () => {
    const { session, transport } = open({ templateRefresh: 0.2 });
    for (let i = 0; i < 2; i++) await session.sendTemplates();
    // The clock of timers stands still meanwhile, so that the timer fires so much too early.
    const end = performance.now() + 60;
    while (performance.now() < end);
    await session.sendTemplates();
    await eventually("templates are repeated", () => transport.messages.length >= 6);
  });

  it("that were not sent are sent with the next batch", async () => {
    const { session, transport } = open();
    const { buffer, offsets } = table(1);
    for (let i = 0; i < 2; i++) await session.export(buffer, offsets, 1, [1], context);
    transport.behaviours.push(...new Array(5).fill("ENETUNREACH"));
    await session.sendTemplates();
    expect(session.counters.droppedMessages).toBe(1);
    await session.export(buffer, offsets, 1, [1], context);
    expect(decode(transport).flatMap(({ sets }) => sets)).toEqual([2, 300, 2, 300, 2, 300]);
  });
});

describe("a collector that refuses", () => {
  it("is counted; templates and data are sent all the same", async () => {
    const { session, transport } = open();
    const { buffer, offsets } = table(1);
    for (let i = 0; i < 2; i++) await session.export(buffer, offsets, 1, [1], context);
    // The data meets the refusal of what went before, the templates that of nothing.
    transport.behaviours.push("ECONNREFUSED");
    const result = await session.export(buffer, offsets, 1, [1], context);
    expect(result).toMatchObject({ sent: 1, error: undefined });
    expect(session.counters).toMatchObject({ refusals: 1, droppedRecords: 0 });
    expect(decode(transport).flatMap(({ sets }) => sets)).toEqual([2, 300, 2, 300, 2, 300]);
  });

  it("does not make the session try for ever", async () => {
    const { session, transport } = open();
    const { buffer, offsets } = table(1);
    transport.behaviours.push(...new Array(100).fill("ECONNREFUSED"));
    const result = await session.export(buffer, offsets, 1, [1], context);
    expect(result).toMatchObject({ sent: 0, error: { code: "ECONNREFUSED" } });
    expect(session.counters.droppedRecords).toBe(1);
  });
});

describe("a full socket", () => {
  it("is waited for", async () => {
    const { session, transport } = open();
    const { buffer, offsets } = table(1000);
    transport.behaviours.push(0, 1, 0, 0, 2, 0);
    await session.export(buffer, offsets, 1000, new Uint8Array(1000), context);
    expect(transport.waits).toBe(4);
    expect(numbers(decode(transport))).toEqual(range(1000));
  });
});

describe("calls", () => {
  it("that overlap are served one after another", async () => {
    const { session, transport } = open();
    const { buffer, offsets } = table(100);
    transport.behaviours.push(0, 0, 0);
    await Promise.all(
      [10, 20, 30].map((count) =>
        session.export(buffer, offsets, count, new Uint8Array(count), context),
      ),
    );
    expect(numbers(decode(transport))).toEqual([...range(10), ...range(20), ...range(30)]);
  });

  it("without the context that the templates need are refused, and harm nothing", async () => {
    const { session, transport } = open();
    const { buffer, offsets } = table(3);
    await expect(session.export(buffer, offsets, 3, [0, 0, 0])).rejects.toMatchObject({
      code: "CONTEXT_INVALID",
    });
    await session.export(buffer, offsets, 3, [0, 1, 2], context);
    expect(numbers(decode(transport))).toEqual([0, 1, 2]);
  });

  it("with a template that is not there are refused, and harm nothing", async () => {
    const { session, transport } = open();
    const { buffer, offsets } = table(3);
    await expect(session.export(buffer, offsets, 3, [0, 3, 0], context)).rejects.toThrow(TypeError);
    await session.export(buffer, offsets, 3, [0, 1, 2], context);
    expect(numbers(decode(transport))).toEqual([0, 1, 2]);
  });

  it("after close are refused; what is on its way is dropped and counted", async () => {
    const { session, transport } = open({ maxRate: 8000 });
    const { buffer, offsets } = table(1000);
    const running = session.export(buffer, offsets, 1000, new Uint8Array(1000), context);
    await vi.waitFor(() => expect(transport.messages.length).toBeGreaterThan(0));
    session.close();
    session.close();
    const { sent, dropped, error } = await running;
    expect(sent + dropped.length).toBe(1000);
    expect(dropped.length).toBeGreaterThan(0);
    expect(error?.code).toMatch(/SESSION_CLOSED|EBADF/);
    expect(session.counters.droppedRecords).toBe(dropped.length);
    await expect(session.export(buffer, offsets, 1, [0], context)).rejects.toMatchObject({
      code: "SESSION_CLOSED",
    });
  });
});

describe("maxRate", () => {
  it("is kept, evenly", async () => {
    const maxRate = 4_000_000;
    const { session, transport } = open({ maxRate });
    const { buffer, offsets } = table(10_000);
    await session.export(buffer, offsets, 10_000, new Uint8Array(10_000), context);
    expect(numbers(decode(transport))).toEqual(range(10_000));
    const sizes = transport.messages.map(({ length }) => 8 * (length + 28));
    const bits = sizes.reduce((sum, size) => sum + size, 0);
    const seconds = (transport.times.at(-1)! - transport.times[0]) / 1000;
    expect(seconds).toBeGreaterThan((0.85 * bits) / maxRate);
    expect(seconds).toBeLessThan((3 * bits) / maxRate);
    // No burst: within any 50 ms no more than the rate gives in 50 ms + credit + a batch.
    for (const [i, time] of transport.times.entries()) {
      let sum = 0;
      for (let k = i; k < sizes.length && transport.times[k] < time + 50; k++) sum += sizes[k];
      expect(sum).toBeLessThanOrEqual(maxRate * 0.085 + sizes[0]);
    }
  });

  it("leaves the event loop free", async () => {
    const { session } = open({ maxRate: 200_000 });
    const { buffer, offsets } = table(300);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    await session.export(buffer, offsets, 300, new Uint8Array(300), context);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(10);
  });
});
