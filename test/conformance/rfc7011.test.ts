// What RFC 7011 asks of messages and sessions, message by message: see docs/conformance.md.
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  compileEncoder,
  ElementRegistry,
  ExportingProcess,
  type ExportingProcessOptions,
  type InformationElement,
  type OptionsRecords,
  recordLayout,
  Template,
} from "../../src/ipfix/index.ts";
import { destinationOf, MemoryTransport } from "../unit/ipfix/memory-transport.ts";
import { Decoder, hex, unsignedValue, type WireMessage } from "./decoder.ts";

const registry = new ElementRegistry();
const named = (...names: string[]) => names.map((name) => ({ element: registry.get(name) }));

const layout = recordLayout({ number: 8 });
const numbers = compileEncoder(
  new Template(256, [
    { element: registry.get("flowId"), source: { kind: "unsigned", field: "number" } },
  ]),
  layout,
);
const texts = new Template(257, named("interfaceName", "octetDeltaCount"));

const own: InformationElement = {
  ...{ name: "testScope", id: 0, enterprise: 32473, type: "unsigned16", length: 2 },
  ...{ semantics: "identifier", units: undefined, status: "current" },
};

const ofDomain: OptionsRecords = {
  template: new Template(258, [...named("templateId"), { element: own }, ...named("flowId")], 2),
  observationDomainId: 77,
  period: 600,
  records: () => [{ templateId: 256, testScope: 3, flowId: 9 }],
};
const ofNone: OptionsRecords = {
  template: new Template(
    256,
    named("observationDomainId", "exportedMessageTotalCount", "exportedFlowRecordTotalCount"),
    1,
  ),
  observationDomainId: 0,
  period: 600,
  records: () => [
    {
      observationDomainId: 77,
      exportedMessageTotalCount: 1,
      exportedFlowRecordTotalCount: 2,
    },
  ],
};

const closing: ExportingProcess[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const one of closing.splice(0)) await one.close();
});

async function open(
  transports: MemoryTransport[],
  options: Partial<ExportingProcessOptions> = {},
): Promise<ExportingProcess> {
  const left = [...transports];
  const connect = () =>
    new Promise<MemoryTransport>((resolve) => {
      const next = left.shift();
      if (next !== undefined) resolve(next);
    });
  const process = new ExportingProcess({
    destination: destinationOf(connect),
    observationDomainId: 77,
    encoders: [numbers],
    ...options,
  });
  closing.push(process);
  await process.firstAttempt();
  return process;
}

function transport(kind: "stream" | "datagrams"): MemoryTransport {
  const made = new MemoryTransport();
  made.reliable = kind === "stream";
  made.takesWithdrawals = kind === "stream";
  return made;
}

function exportNumbers(process: ExportingProcess, ...values: number[]) {
  const buffer = BigUint64Array.from(values, BigInt).buffer;
  const offsets = Uint32Array.from(values, (_, i) => 2 * i);
  return process.export(buffer, offsets, values.length, new Uint8Array(values.length));
}

/** Decodes all messages of a session; sequence numbers begin at 0 in each domain, and have no gap. */
function decoded({ messages }: MemoryTransport): { decoder: Decoder; messages: WireMessage[] } {
  const decoder = new Decoder();
  const all = messages.map((message) => decoder.decode(message));
  expect(decoder.gaps).toBe(0);
  for (const domain of new Set(all.map((message) => message.domain))) {
    expect(all.find((message) => message.domain === domain)?.sequence).toBe(0);
  }
  return { decoder, messages: all };
}

const flowIds = (messages: readonly WireMessage[]): bigint[] =>
  messages.flatMap(({ records }) =>
    records
      .filter(({ template }) => template.fields[0]?.id === 148)
      .map(({ values }) => unsignedValue(values[0]!)),
  );

describe("a message", () => {
  it("has the header of section 3.1, its set that of section 3.3.2", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 0x6685_1e00 * 1000 + 999 });
    const stream = transport("stream");
    const process = await open([stream]);
    await exportNumbers(process, 1, 0x0203);
    await exportNumbers(process, 4);
    expect(stream.messages.map(hex)).toEqual([
      // Version, length, export time, sequence number, domain; set id and length; the template.
      "000a001c" + "66851e00" + "00000000" + "0000004d" + "0002000c" + "0100000100940008",
      "000a0024" +
        "66851e00" +
        "00000000" +
        "0000004d" +
        "01000014" +
        "00000000000000010000000000000203",
      "000a001c" + "66851e00" + "00000002" + "0000004d" + "0100000c" + "0000000000000004",
    ]);
  });

  it("that has a template and data has the template first", async () => {
    const stream = transport("stream");
    const process = await open([stream], { encoders: [] });
    await process.send(texts, [{ interfaceName: "eth0", octetDeltaCount: 1 }]);
    const { messages } = decoded(stream);
    expect(messages.map(({ sets }) => sets)).toEqual([[2, 257]]);
  });
});

describe("a set", () => {
  it("holds records of one kind, and no padding", async () => {
    const stream = transport("stream");
    stream.mtu = 300;
    const process = await open([stream], { options: [ofDomain, ofNone] });
    await exportNumbers(process, ...Array.from({ length: 100 }, (_, i) => i));
    const records = Array.from({ length: 50 }, (_, i) => ({
      interfaceName: "x".repeat(i),
      octetDeltaCount: i,
    }));
    await process.send(texts, records);
    const { decoder, messages } = decoded(stream);
    expect(decoder.padding).toBe(0);
    expect(new Set(messages.flatMap(({ sets }) => sets))).toEqual(new Set([2, 3, 256, 257, 258]));
    const of = (id: number) =>
      messages.flatMap((message) => message.records.filter(({ template }) => template.id === id));
    expect(of(257).map(({ values }) => values[0]!.length)).toEqual(
      records.map(({ octetDeltaCount }) => octetDeltaCount),
    );
    expect(flowIds(messages)).toHaveLength(100);
  });
});

describe("an options template", () => {
  it("keeps its scope fields in their order, and counts them among its fields", async () => {
    const stream = transport("stream");
    const process = await open([stream], { encoders: [], options: [ofDomain] });
    await process.sendTemplates();
    // Template id, three fields, two of them scope; templateId, 32473/0, flowId.
    const record = "0102" + "0003" + "0002" + "00910002" + "8000000200007ed9" + "00940008";
    expect(hex(stream.messages[0]!.subarray(16))).toBe(
      ["0003001a", record, "01020010", "0100", "0003", "0000000000000009"].join(""),
    );
  });

  it("has at least one scope field: without one it is a template of data", async () => {
    const stream = transport("stream");
    const unscoped = { ...ofDomain, template: new Template(258, ofDomain.template.fields, 0) };
    await open([stream], { encoders: [], options: [unscoped] });
    await vi.waitUntil(() => stream.messages.length > 0);
    expect(decoded(stream).messages[0]?.templates).toEqual([
      expect.objectContaining({ id: 258, scopeFieldCount: 0 }),
    ]);
    expect(decoded(stream).messages[0]?.sets).toEqual([2, 258]);
  });
});

describe("an observation domain", () => {
  it("has sequence numbers and templates of its own; options of no domain are in domain 0", async () => {
    const stream = transport("stream");
    const process = await open([stream], { options: [ofNone, ofDomain] });
    await exportNumbers(process, 1, 2, 3);
    await process.sendTemplates();
    await exportNumbers(process, 4);
    const { messages } = decoded(stream);
    // Template 256 is one of options in domain 0, one of data in domain 77.
    const records = messages.flatMap(({ domain, records }) =>
      records.map(({ template }) => `${domain}/${template.id} ${template.scopeFieldCount}`),
    );
    expect(new Set(records)).toEqual(new Set(["0/256 1", "77/256 0", "77/258 2"]));
    // The options record of domain 77 counts, that of domain 0 does not.
    const last = messages.at(-1)!;
    expect(last).toMatchObject({ domain: 77, sequence: 1 + 3 });
  });
});

describe("a new session", () => {
  it("has all templates and options again, and begins to count at 0", async () => {
    const sessions = [transport("stream"), transport("stream")];
    const process = await open(sessions, { options: [ofDomain] });
    await exportNumbers(process, 1, 2, 3);
    await process.send(texts, [{ interfaceName: "eth0", octetDeltaCount: 1 }]);
    sessions[0]!.end(undefined);
    await vi.waitUntil(() => process.counters.sessions === 2);
    await process.send(texts, [{ interfaceName: "eth1", octetDeltaCount: 2 }]);
    await exportNumbers(process, 4);
    const { messages } = decoded(sessions[1]!);
    expect(messages.flatMap(({ templates }) => templates.map(({ id }) => id))).toEqual([
      256, 257, 258,
    ]);
    expect(messages.at(-1)).toMatchObject({ sequence: 2 });
    expect(flowIds(messages)).toEqual([4n]);
  });
});

describe("a template", () => {
  const record = { interfaceName: "eth0", octetDeltaCount: 1 };

  it("that went with records that were dropped goes ahead of the next", async () => {
    const stream = transport("stream");
    const process = await open([stream], { encoders: [] });
    const aborted = await process.send(texts, [record], { signal: AbortSignal.abort() });
    expect(aborted).toMatchObject({ sent: 0 });
    stream.behaviours.push(...Array(5).fill("ENOBUFS"));
    expect(await process.send(texts, [record])).toMatchObject({ sent: 0 });
    expect(await process.send(texts, [record])).toMatchObject({ sent: 1 });
    expect(decoded(stream).messages.map(({ sets }) => sets)).toEqual([[2, 257]]);
  });

  it("is not replaced by another of its id before it is withdrawn", async () => {
    const stream = transport("stream");
    const process = await open([stream], { options: [ofDomain] });
    for (const taken of [256, 258]) {
      const other = new Template(taken, named("octetTotalCount"));
      await expect(process.send(other, [{ octetTotalCount: 1 }])).rejects.toMatchObject({
        code: "TEMPLATE_INVALID",
      });
    }
    await process.send(texts, [record]);
    expect(decoded(stream).messages.at(-1)).toMatchObject({ sets: [2, 257] });
  });
});

describe("a withdrawal", () => {
  const record = { interfaceName: "eth0", octetDeltaCount: 1 };
  const other = new Template(257, named("octetTotalCount"));

  it("over a stream comes after the template's data, and frees its id", async () => {
    const stream = transport("stream");
    const process = await open([stream], { encoders: [] });
    const first = process.send(texts, [record]);
    const withdrawn = process.withdraw(texts);
    await Promise.all([first, withdrawn]);
    await process.send(other, [{ octetTotalCount: 1 }]);
    await process.withdraw(other);
    await process.send(texts, [record]);
    const { messages } = decoded(stream);
    expect(messages.map(({ sets, withdrawn: ids }) => [...sets, ...ids.map(String)])).toEqual([
      [2, 257],
      [2, "257"],
      [2, 257],
      [2, "257"],
      [2, 257],
    ]);
    // Set 2, 8 octets: the template's id and no fields.
    expect(hex(stream.messages[1]!.subarray(16))).toBe("00020008" + "01010000");
  });

  it("of a template that the collector does not have is not sent", async () => {
    const stream = transport("stream");
    const process = await open([stream], { encoders: [] });
    await process.withdraw(other);
    await process.send(texts, [record]);
    // Of the same id, but not the one that is there.
    await process.withdraw(other);
    await process.send(texts, [record]);
    await process.withdraw(texts);
    await process.withdraw(texts);
    const { messages } = decoded(stream);
    expect(messages.map(({ sets, withdrawn }) => [sets, withdrawn])).toEqual([
      [[2, 257], []],
      [[257], []],
      [[2], [257]],
    ]);
  });

  it("of a template that lists have has it announced again with the next of them", async () => {
    const stream = transport("stream");
    const process = await open([stream], { encoders: [] });
    const lists = new Template(300, named("subTemplateList"));
    const inner = { subTemplateList: { template: texts, records: [record] } };
    await process.send(lists, [inner]);
    await process.withdraw(texts);
    await process.send(lists, [inner]);
    const { messages } = decoded(stream);
    expect(messages.map(({ templates }) => templates.map(({ id }) => id))).toEqual([
      [257, 300],
      [],
      [257],
    ]);
  });

  it("of a template of options is in set 3", async () => {
    const stream = transport("stream");
    const process = await open([stream], { encoders: [] });
    const options = new Template(300, ofDomain.template.fields, 2);
    await process.send(options, [{ templateId: 256, testScope: 1, flowId: 2 }]);
    await process.withdraw(options);
    expect(hex(stream.messages[1]!.subarray(16))).toBe("00030008" + "012c0000");
    decoded(stream);
  });

  it("is not sent in datagrams", async () => {
    const datagrams = transport("datagrams");
    const process = await open([datagrams], { encoders: [] });
    await process.send(texts, [record]);
    await process.withdraw(texts);
    await process.sendTemplates();
    const { messages } = decoded(datagrams);
    // The template goes twice, as any datagram may be lost, then no more.
    expect(messages.map(({ sets }) => sets)).toEqual([[2], [2, 257]]);
    expect(messages.flatMap(({ withdrawn }) => withdrawn)).toEqual([]);
  });
});

describe("times", () => {
  it("go on after 2106 modulo 2^32 seconds, after 2036 in the next NTP era", async () => {
    const clock = recordLayout({ time: 8 });
    const fields = ["Seconds", "Microseconds", "Nanoseconds"].map((unit) => ({
      element: registry.get(`flowStart${unit}`),
      source: { kind: "time", field: "time" } as const,
    }));
    // 7 s after 7 February 2106, 06:28:16 UTC.
    const unix = 2n ** 32n + 7n;
    vi.useFakeTimers({ toFake: ["Date"], now: Number(unix) * 1000 });
    const stream = transport("stream");
    const process = await open([stream], {
      encoders: [compileEncoder(new Template(256, fields), clock)],
    });
    const buffer = BigUint64Array.of(unix * 1_000_000_000n + 500_000_000n).buffer;
    await process.export(buffer, Uint32Array.of(0), 1, [0]);
    const decoder = new Decoder();
    const message = stream.messages.map((one) => decoder.decode(one)).at(-1)!;
    expect(message.exportTime).toBe(7);
    const era = ((unix + 2_208_988_800n) % 2n ** 32n).toString(16).padStart(8, "0");
    expect(message.records[0]?.values.map(hex)).toEqual([
      "00000007",
      `${era}80000000`,
      `${era}80000000`,
    ]);
  });
});
