// Records with numbers, handed to an exporting process while its collector fails, and what became of each.
import { expect } from "vitest";
import {
  compileEncoder,
  type Destination,
  ElementRegistry,
  ExportingProcess,
  type ExportingProcessOptions,
  type ExportResult,
  recordLayout,
  Template,
} from "../../src/ipfix/index.ts";
import { Decoder, unsignedValue } from "../conformance/decoder.ts";
import { wholeMessages } from "../lab/ipfix-messages.ts";

const registry = new ElementRegistry();
const layout = recordLayout({ number: 8, filler: 56 });
const WORDS = layout.size / 4;
const encoder = compileEncoder(
  new Template(256, [
    { element: registry.get("flowId"), source: { kind: "unsigned", field: "number" } },
    {
      element: registry.get("interfaceDescription"),
      length: 56,
      source: { kind: "octets", field: "filler" },
    },
  ]),
  layout,
);

/** Hands over records 0, 1, 2, … and keeps count of them. */
export class NumberedExport {
  readonly process: ExportingProcess;
  /** Records that were handed over. */
  handed = 0;

  constructor(destination: Destination, options: Partial<ExportingProcessOptions> = {}) {
    this.process = new ExportingProcess({
      destination,
      observationDomainId: 5,
      encoders: [encoder],
      ...options,
    });
  }

  /** The next `count` records, each call from memory of its own; given up after `timeout` ms. */
  async hand(count: number, timeout?: number): Promise<ExportResult> {
    const numbers = new BigUint64Array((count * layout.size) / 8);
    for (let i = 0; i < count; i++) numbers[(i * layout.size) / 8] = BigInt(this.handed + i);
    this.handed += count;
    const result = await this.process.export(
      numbers.buffer,
      Uint32Array.from({ length: count }, (_, i) => i * WORDS),
      count,
      new Uint8Array(count),
      {},
      timeout === undefined ? {} : { signal: AbortSignal.timeout(timeout) },
    );
    expect(result.sent + result.dropped.length).toBe(count);
    return result;
  }

  /** Ends it: every record that was handed over was taken or is counted as dropped. */
  async close(): Promise<{ records: number; droppedRecords: number }> {
    await this.process.close();
    const { records, droppedRecords } = this.process.counters;
    expect(records + droppedRecords).toBe(this.handed);
    return { records, droppedRecords };
  }
}

/**
 * The numbers in what came of each session, in their order. Each must begin with its template, and
 * with sequence number 0 unless it began before; none may have a gap. The last message of each may
 * be cut off.
 */
export function receivedNumbers(
  sessions: readonly Uint8Array[],
  o: { beganBefore?: boolean } = {},
): number[] {
  return sessions.flatMap((octets) => {
    const decoder = new Decoder();
    const decoded = Array.from(wholeMessages(octets), (message) => decoder.decode(message));
    if (decoded.length > 0) {
      expect(decoded[0]).toMatchObject({ sets: [2] });
      if (o.beganBefore !== true) expect(decoded[0]?.sequence).toBe(0);
      expect(decoder.gaps).toBe(0);
    }
    return decoded.flatMap(({ records }) =>
      records.map(({ values }) => Number(unsignedValue(values[0]!))),
    );
  });
}

/** Each number at most once, and ascending: nothing is sent twice, nothing overtakes. */
export function expectAscending(numbers: readonly number[]): void {
  const wrong = numbers.findIndex((number, i) => i > 0 && number <= numbers[i - 1]!);
  expect(numbers.slice(Math.max(0, wrong - 1), wrong + 1)).toEqual([]);
}
