// A destination over many transport sessions: what is sent anew in each, and what becomes of records.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { IoamctlError } from "../../../src/errors.ts";
import {
  compileEncoder,
  ElementRegistry,
  ExportingProcess,
  type ExportingProcessOptions,
  recordLayout,
  Template,
} from "../../../src/ipfix/index.ts";
import { Decoder, unsignedValue } from "../../conformance/decoder.ts";
import { destinationOf, MemoryTransport } from "./memory-transport.ts";

const registry = new ElementRegistry();
const flowId = registry.get("flowId");
const layout = recordLayout({ number: 4 });
const template = new Template(256, [
  { element: flowId, length: 4, source: { kind: "unsigned", field: "number" } },
]);
const encoders = [compileEncoder(template, layout)];

const processes: ExportingProcess[] = [];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "performance"] });
});

afterEach(async () => {
  for (const one of processes.splice(0)) await one.close();
  vi.useRealTimers();
});

/** A collector whose sessions the test makes and ends. */
class Sessions {
  readonly transports: MemoryTransport[] = [];
  /** What the next attempts do: fail with a code; none left: they succeed. */
  readonly failures: string[] = [];
  attempts: number[] = [];
  reliable = true;

  open(options: Partial<ExportingProcessOptions> = {}, retry = { first: 1000, most: 8000 }) {
    const connect = async (): Promise<MemoryTransport> => {
      this.attempts.push(performance.now());
      const failure = this.failures.shift();
      if (failure !== undefined) throw new IoamctlError(failure, "refused");
      const transport = new MemoryTransport();
      transport.reliable = this.reliable;
      transport.takesWithdrawals = this.reliable;
      this.transports.push(transport);
      return transport;
    };
    const destination = destinationOf(connect, retry);
    const process = new ExportingProcess({
      destination,
      observationDomainId: 7,
      encoders,
      ...options,
    });
    processes.push(process);
    return process;
  }

  get last(): MemoryTransport {
    return this.transports.at(-1)!;
  }
}

/** What is begun gets on as far as it can without time passing. */
async function settle(milliseconds = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

function exportNumbers(
  process: ExportingProcess,
  from: number,
  count: number,
  signal?: AbortSignal,
) {
  const numbers = Uint32Array.from({ length: layout.size * count }, (_, i) =>
    i % (layout.size / 4) === 0 ? from + i / (layout.size / 4) : 0,
  );
  const offsets = Uint32Array.from({ length: count }, (_, i) => (i * layout.size) / 4);
  return process.export(numbers.buffer, offsets, count, new Uint8Array(count), {}, { signal });
}

/** What a collector reads in one session; its templates come before their data. */
function read({ messages }: MemoryTransport) {
  const decoder = new Decoder();
  const decoded = messages.map((message) => decoder.decode(message));
  expect(decoder.gaps).toBe(0);
  return {
    first: decoded[0]?.sequence,
    templates: decoded.flatMap(({ templates }) => templates.map(({ id }) => id)),
    numbers: decoded.flatMap(({ records }) =>
      records.map(({ values }) => Number(unsignedValue(values[0]!))),
    ),
  };
}

describe("a session", () => {
  it("begins with the templates, at once, and with sequence number 0", async () => {
    const sessions = new Sessions();
    const process = sessions.open();
    await settle();
    expect(read(sessions.last)).toEqual({ first: 0, templates: [256], numbers: [] });
    await exportNumbers(process, 0, 3);
    sessions.last.end(new IoamctlError("ECONNRESET", "reset"));
    await settle(1000);
    await exportNumbers(process, 3, 2);
    expect(sessions.transports.map(read)).toEqual([
      { first: 0, templates: [256], numbers: [0, 1, 2] },
      { first: 0, templates: [256], numbers: [3, 4] },
    ]);
    expect(process.counters).toMatchObject({ sessions: 2, records: 5, droppedRecords: 0 });
  });

  it("follows one that ended in order at once", async () => {
    const sessions = new Sessions();
    sessions.open({}, { first: 60_000, most: 60_000 });
    await settle();
    sessions.last.end(undefined);
    await settle();
    expect(sessions.transports).toHaveLength(2);
    expect(sessions.transports.map(({ closed }) => closed)).toEqual([true, false]);
  });

  it("is tried for again after pauses that double, and from the first one on after a success", async () => {
    const sessions = new Sessions();
    sessions.failures.push(...Array.from({ length: 6 }, () => "ECONNREFUSED"));
    const process = sessions.open();
    const start = performance.now();
    await settle();
    expect(process.state).toBe("waiting");
    expect(process.lastError).toMatchObject({ code: "ECONNREFUSED" });
    for (const pause of [1000, 2000, 4000, 8000, 8000, 8000]) await settle(pause);
    expect(sessions.attempts.map((at) => at - start)).toEqual([
      0, 1000, 3000, 7000, 15_000, 23_000, 31_000,
    ]);
    expect(process).toMatchObject({ state: "connected", lastError: undefined });
    expect(process.counters).toMatchObject({ sessions: 1, connectionFailures: 6 });
    sessions.last.end(new IoamctlError("ECONNRESET", "reset"));
    await settle(0);
    expect(process.state).toBe("waiting");
    await settle(1000);
    expect(process.state).toBe("connected");
  });

  it("that lasted is followed by another without a pause", async () => {
    const sessions = new Sessions();
    sessions.open({}, { first: 60_000, most: 60_000 });
    await settle(60_000);
    sessions.last.end(new IoamctlError("ECONNRESET", "reset"));
    await settle();
    expect(sessions.transports).toHaveLength(2);
  });

  it("has its templates before data, also when sending them failed at first", async () => {
    const sessions = new Sessions();
    const process = sessions.open();
    await vi.waitUntil(() => sessions.transports.length === 1);
    sessions.last.behaviours.push(...Array.from({ length: 5 }, () => "EIO"));
    await exportNumbers(process, 0, 3);
    expect(read(sessions.last)).toEqual({ first: 0, templates: [256], numbers: [0, 1, 2] });
  });

  it("has no templates again where nothing gets lost, and has them elsewhere", async () => {
    for (const [reliable, expected] of [
      [true, [256]],
      [false, [256, 256, 256]],
    ] as const) {
      const sessions = new Sessions();
      sessions.reliable = reliable;
      const process = sessions.open({ templateRefresh: 10 });
      await settle(5000);
      await exportNumbers(process, 0, 1);
      await settle(10_000);
      expect(read(sessions.last).templates).toEqual(expected);
    }
  });
});

describe("records", () => {
  it("wait for a session", async () => {
    const sessions = new Sessions();
    sessions.failures.push("ECONNREFUSED");
    const process = sessions.open();
    const result = exportNumbers(process, 0, 10);
    await settle(1000);
    expect(await result).toMatchObject({ sent: 10, error: undefined });
    expect(read(sessions.last).numbers).toHaveLength(10);
  });

  it("are dropped and counted when the signal aborts, with the reason", async () => {
    const sessions = new Sessions();
    sessions.failures.push(...Array.from({ length: 99 }, () => "ECONNREFUSED"));
    const process = sessions.open();
    const late = new AbortController();
    const results = [0, 1].map((i) => exportNumbers(process, i, 10, late.signal));
    await settle(3000);
    late.abort();
    for (const result of await Promise.all(results)) {
      expect(result).toMatchObject({ sent: 0, error: { code: "ECONNREFUSED" } });
      expect([...result.dropped]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
    expect(process.counters).toMatchObject({ records: 0, droppedRecords: 20 });
  });

  it("that a session did not take go into the next", async () => {
    const sessions = new Sessions();
    const process = sessions.open();
    await settle();
    const first = sessions.last;
    first.behaviours.push("EPIPE");
    const result = exportNumbers(process, 0, 100);
    first.end(new IoamctlError("ECONNRESET", "reset"));
    await settle(1000);
    expect(await result).toMatchObject({ sent: 100 });
    expect(read(first).numbers).toEqual([]);
    expect(read(sessions.last)).toMatchObject({ first: 0, templates: [256] });
    expect(read(sessions.last).numbers).toHaveLength(100);
  });

  it("that are being sent when the signal aborts count as sent, and are", async () => {
    const sessions = new Sessions();
    const process = sessions.open({ mtu: 540 });
    await settle();
    sessions.last.behaviours.push(3, 0);
    let room = (): void => {};
    sessions.last.writable = () =>
      new Promise((resolve) => {
        room = resolve;
      });
    const late = new AbortController();
    const given = 100_000;
    const stuck = exportNumbers(process, 0, given, late.signal);
    const behind = exportNumbers(process, given, 5);
    await settle();
    late.abort();
    const { sent, dropped } = await stuck;
    expect(sent + dropped.length).toBe(given);
    expect(dropped[0]).toBe(sent);
    room();
    expect(await behind).toMatchObject({ sent: 5 });
    const expected = [...Array(sent).keys(), ...[0, 1, 2, 3, 4].map((i) => given + i)];
    expect(read(sessions.last).numbers).toEqual(expected);
    expect(process.counters).toMatchObject({ records: sent + 5, droppedRecords: given - sent });
  });

  it("beyond maxQueued are dropped at once, and counted", async () => {
    const sessions = new Sessions();
    sessions.failures.push(...Array.from({ length: 3 }, () => "ECONNREFUSED"));
    const process = sessions.open({ maxQueued: 15 });
    const waiting = exportNumbers(process, 0, 10);
    expect(await exportNumbers(process, 10, 10)).toMatchObject({
      sent: 0,
      error: { code: "QUEUE_FULL" },
    });
    const fitting = exportNumbers(process, 20, 5);
    await settle(10_000);
    expect(await waiting).toMatchObject({ sent: 10 });
    expect(await fitting).toMatchObject({ sent: 5 });
    expect(process.counters).toMatchObject({ records: 15, droppedRecords: 10 });
  });

  it("of templates alone wait, however many records do", async () => {
    const sessions = new Sessions();
    sessions.failures.push(...Array.from({ length: 3 }, () => "ECONNREFUSED"));
    const process = sessions.open({ maxQueued: 5 });
    const waiting = exportNumbers(process, 0, 10);
    let isTold = false;
    const telling = process.sendTemplates().then(() => {
      isTold = true;
    });
    await settle(0);
    expect(isTold).toBe(false);
    await settle(10_000);
    expect(await waiting).toMatchObject({ sent: 10 });
    await telling;
    // Once as the session began, once more as asked.
    expect(process.counters.templateMessages).toBeGreaterThan(1);
  });

  it("that wait are refused when the process is closed", async () => {
    const sessions = new Sessions();
    sessions.failures.push(...Array.from({ length: 9 }, () => "ECONNREFUSED"));
    const process = sessions.open();
    const waiting = exportNumbers(process, 0, 10);
    const outcome = expect(waiting).rejects.toMatchObject({ code: "SESSION_CLOSED" });
    await settle();
    await process.close();
    await outcome;
    expect(await process.firstAttempt()).toMatchObject({ code: "SESSION_CLOSED" });
  });
});

describe("records given as values", () => {
  const named = new Template(300, [
    { element: flowId, length: 2 },
    { element: registry.get("interfaceName") },
  ]);

  it("have their template ahead, once a session", async () => {
    const sessions = new Sessions();
    const process = sessions.open();
    await process.send(named, [{ flowId: 1, interfaceName: "eth1" }]);
    const result = await process.send(named, [
      { flowId: 2, interfaceName: "" },
      { flowId: 3, interfaceName: "x".repeat(300) },
    ]);
    expect(result).toMatchObject({ sent: 2 });
    sessions.last.end(undefined);
    await settle();
    await process.send(named, [{ flowId: 4, interfaceName: "eth2" }]);
    expect(sessions.transports.map(read)).toEqual([
      { first: 0, templates: [256, 300], numbers: [1, 2, 3] },
      { first: 0, templates: [256, 300], numbers: [4] },
    ]);
    expect(process.counters.records).toBe(4);
  });

  it("have it ahead once more where messages may be lost", async () => {
    const sessions = new Sessions();
    sessions.reliable = false;
    const process = sessions.open();
    for (let i = 0; i < 3; i++) await exportNumbers(process, i, 1);
    const before = read(sessions.last).templates.length;
    for (let i = 1; i <= 3; i++) await process.send(named, [{ flowId: i, interfaceName: "eth1" }]);
    expect(read(sessions.last).templates.slice(before)).toEqual([300, 256, 300]);
  });

  it("are refused, and not sent, when one does not fit", async () => {
    const sessions = new Sessions();
    const process = sessions.open();
    await expect(
      process.send(named, [{ flowId: 1, interfaceName: "a" }, { flowId: 1 }]),
    ).rejects.toMatchObject({ code: "VALUE_INVALID" });
    const other = new Template(300, [{ element: flowId }]);
    await process.send(named, []);
    await expect(process.send(other, [{ flowId: 1 }])).rejects.toMatchObject({
      code: "TEMPLATE_INVALID",
    });
    expect(process.counters).toMatchObject({ records: 0, droppedRecords: 0 });
  });

  it("take their template back where that is allowed, and may use its id again", async () => {
    const sessions = new Sessions();
    const process = sessions.open();
    await process.send(named, [{ flowId: 1, interfaceName: "a" }]);
    await process.withdraw(named);
    await process.send(new Template(300, [{ element: flowId, length: 1 }]), [{ flowId: 9 }]);
    expect(
      sessions.last.messages.some((message) =>
        hex(message).endsWith("0002" + "0008" + "012c" + "0000"),
      ),
    ).toBe(true);
    sessions.reliable = false;
    sessions.last.end(undefined);
    await settle();
    await process.withdraw(new Template(300, [{ element: flowId, length: 1 }]));
    expect(read(sessions.last).templates).not.toContain(0);
  });
});

describe("options", () => {
  const scope = registry.get("observationDomainId");
  const statistics = new Template(
    400,
    [{ element: scope }, { element: registry.get("exportedMessageTotalCount") }],
    1,
  );

  it("go ahead and periodically, in a domain of their own with its own sequence", async () => {
    const sessions = new Sessions();
    let count = 0;
    const process = sessions.open({
      options: [
        {
          template: statistics,
          observationDomainId: 0,
          period: 60,
          records: () => [{ observationDomainId: 7, exportedMessageTotalCount: ++count }],
        },
      ],
    });
    await settle();
    await exportNumbers(process, 0, 3);
    await settle(60_000);
    await settle(60_000);
    const headers = sessions.last.messages.map(header);
    const options = headers.filter(({ domain }) => domain === 0);
    expect(options.map(({ sets }) => sets)).toEqual([[3, 400], [400], [400]]);
    expect(options.map(({ sequence }) => sequence)).toEqual([0, 1, 2]);
    const data = headers.filter(({ domain }) => domain === 7);
    expect(data.map(({ sets }) => sets)).toEqual([[2], [256]]);
    expect(process.counters).toMatchObject({ records: 3, optionsRecords: 3 });
    sessions.last.end(undefined);
    await settle();
    expect(sessions.transports).toHaveLength(2);
    expect(sessions.last.messages).toHaveLength(2);
  });

  it("that cannot be encoded are told of and left out; data is sent all the same", async () => {
    const sessions = new Sessions();
    const errors: string[] = [];
    const process = sessions.open({
      onOptionsError: ({ code }) => errors.push(code),
      options: [
        {
          template: statistics,
          observationDomainId: 7,
          period: 60,
          records: () => [{ observationDomainId: -1, exportedMessageTotalCount: 1 }],
        },
      ],
    });
    await exportNumbers(process, 0, 3);
    expect(errors).toEqual(["VALUE_INVALID"]);
    expect(process.counters).toMatchObject({ records: 3, optionsRecords: 0 });
  });
});

function header(message: Uint8Array): { sequence: number; domain: number; sets: number[] } {
  const view = new DataView(message.buffer, message.byteOffset);
  const sets: number[] = [];
  for (let at = 16; at < message.length; at += view.getUint16(at + 2))
    sets.push(view.getUint16(at));
  return { sequence: view.getUint32(8), domain: view.getUint32(12), sets };
}

function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString("hex");
}
