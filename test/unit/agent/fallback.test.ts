// Several collectors of which the first that works takes everything: over to the next one, and back.
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { Collector } from "../../../src/agent/sinks/collector.ts";
import type { Records } from "../../../src/agent/sinks/exporter.ts";
import { Fallback } from "../../../src/agent/sinks/fallback.ts";
import { IoamctlError } from "../../../src/errors.ts";
import {
  compileEncoder,
  ElementRegistry,
  recordLayout,
  Template,
} from "../../../src/ipfix/index.ts";
import { Decoder, unsignedValue } from "../../conformance/decoder.ts";
import { eventually } from "../../lab/eventually.ts";
import { destinationOf, MemoryTransport } from "../ipfix/memory-transport.ts";

const layout = recordLayout({ number: 4 });
const template = new Template(256, [
  {
    element: new ElementRegistry().get("flowId"),
    length: 4,
    source: { kind: "unsigned", field: "number" },
  },
]);
const log = pino({ level: "silent" });
const never = new AbortController().signal;

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
});

/** A collector that is there when the test says so. */
class Place {
  readonly sessions: MemoryTransport[] = [];
  isThere = true;

  collector(name: string): Collector {
    const connect = async (): Promise<MemoryTransport> => {
      if (!this.isThere) throw new IoamctlError("ECONNREFUSED", "nobody is there");
      const transport = new MemoryTransport();
      transport.reliable = true;
      this.sessions.push(transport);
      return transport;
    };
    return new Collector(
      {
        destination: { ...destinationOf(connect, { first: 5, most: 5 }), name },
        observationDomainId: 1,
        encoders: [compileEncoder(template, layout)],
      },
      log,
    );
  }

  leave(): void {
    this.isThere = false;
    this.sessions.at(-1)!.end(new IoamctlError("ECONNRESET", "reset"));
  }

  get numbers(): number[] {
    return this.sessions.flatMap(({ messages }) => {
      const decoder = new Decoder();
      return messages.flatMap((message) =>
        decoder.decode(message).records.map(({ values }) => Number(unsignedValue(values[0]!))),
      );
    });
  }
}

function records(...numbers: number[]): Records {
  const words = layout.size / 4;
  const buffer = new Uint32Array(numbers.length * words);
  for (const [i, number] of numbers.entries()) buffer[i * words] = number;
  return {
    buffer: buffer.buffer,
    offsets: Uint32Array.from(numbers, (_, i) => i * words),
    kinds: new Uint8Array(numbers.length),
    count: numbers.length,
    observationDomainId: 1,
    context: {},
  };
}

async function open(...places: Place[]): Promise<{ fallback: Fallback; collectors: Collector[] }> {
  const collectors = places.map((place, i) => place.collector(`memory ${i}`));
  const fallback = new Fallback(collectors, log);
  closing.push(fallback);
  await Promise.all(collectors.map((one) => one.begin()));
  return { fallback, collectors };
}

describe("of several collectors", () => {
  it("the first takes everything as long as it works", async () => {
    const [a, b] = [new Place(), new Place()];
    const { fallback } = await open(a, b);
    expect(await fallback.export(records(1, 2, 3), never)).toMatchObject({ sent: 3 });
    expect([a.numbers, b.numbers]).toEqual([[1, 2, 3], []]);
    expect(fallback.name).toBe("memory 0, else memory 1");
    expect(fallback.status().map(({ name, records }) => [name, records])).toEqual([
      ["memory 0", 3],
      ["memory 1", 0],
    ]);
  });

  it("the next one's turn comes when the first is gone, and the first's again when it is back", async () => {
    const [a, b] = [new Place(), new Place()];
    const { fallback, collectors } = await open(a, b);
    a.leave();
    await eventually("it is gone", () => !collectors[0]!.works);
    expect(await fallback.export(records(1, 2), never)).toMatchObject({ sent: 2 });
    a.isThere = true;
    await eventually("it is back", () => collectors[0]!.works);
    expect(await fallback.export(records(3), never)).toMatchObject({ sent: 1 });
    expect([a.numbers, b.numbers]).toEqual([[3], [1, 2]]);
  });

  it("the next gets what the first did not take, and nothing twice", async () => {
    const [a, b] = [new Place(), new Place()];
    const { fallback, collectors } = await open(a, b);
    const numbers = Array.from({ length: 30_000 }, (_, i) => i);
    // Its first messages are taken; then it fails again and again.
    a.sessions[0]!.behaviours.push(5, ...Array.from({ length: 99 }, () => "EIO"));
    const { sent, dropped } = await fallback.export(records(...numbers), never);
    expect([sent, dropped.length]).toEqual([30_000, 0]);
    expect(a.numbers.length).toBeGreaterThan(0);
    expect(b.numbers.length).toBeGreaterThan(0);
    expect([...a.numbers, ...b.numbers].sort((x, y) => x - y)).toEqual(numbers);
    expect(collectors[0]!.works).toBe(false);
  });

  it("none works: records wait until one does, or the signal aborts", async () => {
    const [a, b] = [new Place(), new Place()];
    a.isThere = false;
    b.isThere = false;
    const { fallback } = await open(a, b);
    const late = new AbortController();
    const given = fallback.export(records(1, 2), late.signal);
    late.abort();
    const { sent, dropped } = await given;
    expect([sent, [...dropped]]).toEqual([0, [0, 1]]);
    const waiting = fallback.export(records(3), never);
    b.isThere = true;
    expect(await waiting).toMatchObject({ sent: 1 });
    expect([a.numbers, b.numbers]).toEqual([[], [3]]);
  });
});
