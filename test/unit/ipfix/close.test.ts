// The end of an exporting process and of an exporter of JSON: whatever was under way, all is counted by then.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IoamctlError } from "../../../src/errors.ts";
import {
  type Destination,
  ElementRegistry,
  ExportingProcess,
  JsonExporter,
  Template,
} from "../../../src/ipfix/index.ts";
import { eventually } from "../../lab/eventually.ts";
import { destinationOf, MemoryTransport } from "./memory-transport.ts";

const registry = new ElementRegistry();
const template = new Template(256, [
  { element: registry.get("flowId") },
  { element: registry.get("interfaceName"), length: 100 },
]);
const records = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ flowId: i, interfaceName: "x".repeat(99) }));

interface Pace {
  readonly maxRate?: number;
}

type Exporter = ExportingProcess | JsonExporter;

const exporters: [name: string, make: (destination: Destination, pace?: Pace) => Exporter][] = [
  [
    "an exporting process",
    (destination, pace) => new ExportingProcess({ destination, observationDomainId: 1, ...pace }),
  ],
  ["an exporter of JSON", (destination, pace) => new JsonExporter({ destination, ...pace })],
];

/** A collector that takes what the behaviours say, and then nothing any more. */
class StandingTransport extends MemoryTransport {
  constructor(behaviours: readonly number[]) {
    super();
    this.behaviours.push(...behaviours, 0);
  }

  override writable(): Promise<void> {
    if (this.behaviours.length > 1) return Promise.resolve();
    this.behaviours.push(0);
    return new Promise(() => {});
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Closes it; records sent and dropped by then, which no later turn changes. */
async function countsAtEnd(exporter: Exporter): Promise<{ sent: number; dropped: number }> {
  await exporter.close();
  const atEnd = { ...exporter.counters };
  await turns(10);
  expect(exporter.counters).toEqual(atEnd);
  return { sent: atEnd.records, dropped: atEnd.droppedRecords };
}

describe.each(exporters)("%s that is closed", (_, make) => {
  it("has counted what waited for its pace when its call had given up", async () => {
    const transport = new MemoryTransport();
    const exporter = make(transport.destination, { maxRate: 64_000 });
    const giveUp = new AbortController();
    const sending = exporter.send(template, records(500), { signal: giveUp.signal });
    await eventually("records are sent", () => exporter.counters.records > 0);
    giveUp.abort();
    await sending;
    const { sent, dropped } = await countsAtEnd(exporter);
    expect(sent).toBeGreaterThan(0);
    expect(sent + dropped).toBe(500);
  });

  it("has counted all that it was given, and waits for no collector that stands still", async () => {
    const call = fc.record({ count: fc.nat(60), isGivenUp: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(call, { maxLength: 6 }),
        fc.array(fc.nat(3), { maxLength: 6 }),
        fc.nat(8),
        fc.nat(8),
        async (calls, behaviours, untilAbort, untilClose) => {
          const exporter = make(new StandingTransport(behaviours).destination);
          const giveUp = new AbortController();
          const outcomes = Promise.allSettled(
            calls.map(({ count, isGivenUp }) => {
              const signal = isGivenUp ? giveUp.signal : undefined;
              return exporter.send(template, records(count), { signal });
            }),
          );
          await turns(untilAbort);
          giveUp.abort();
          await turns(untilClose);
          const { sent, dropped } = await countsAtEnd(exporter);
          expect(sent + dropped).toBe(calls.reduce((sum, { count }) => sum + count, 0));
          await outcomes;
        },
      ),
      { numRuns: 200 },
    );
  });

  it("has counted what never had a session", async () => {
    const exporter = make(
      destinationOf(
        async () => {
          throw new IoamctlError("COLLECTOR_UNREACHABLE", "nobody there");
        },
        { first: 60_000, most: 60_000 },
      ),
    );
    const sending = [3, 4].map((count) => exporter.send(template, records(count)));
    const refused = Promise.all(
      sending.map((one) => expect(one).rejects.toMatchObject({ code: "SESSION_CLOSED" })),
    );
    await eventually("a failed attempt", () => exporter.state === "waiting");
    expect(await countsAtEnd(exporter)).toEqual({ sent: 0, dropped: 7 });
    await refused;
  });
});
