// Takes flows out of the table without losing a count: close their entries, wait, then count them.

import { BUCKET_ENTRIES, ENTRY_CLOSED } from "./abi.ts";
import type { Flow, FlowContext } from "./flow.ts";
import { generationFlows } from "./live.ts";
import { readU64, recordFields } from "./record.ts";
import { standsForFlow } from "./scan.ts";
import type { Table } from "./table.ts";

/** What was taken out. */
export interface Flushed {
  flows: number;
  packets: bigint;
  octets: bigint;
}

/** The record numbers of a flow: its own and those of other CPUs that it leads to. */
function recordsOf(table: Table, generation: number, number: number): number[] {
  const f = recordFields();
  const numbers: number[] = [];
  for (let next = number; next !== 0; ) {
    numbers.push(next);
    next = table.words[table.record(generation, next) + f.next]!;
  }
  return numbers;
}

/** Marks the index entries of these records closed: the flows' next packets make new records. */
function closeEntries(table: Table, generation: number, records: ReadonlySet<number>): void {
  const words = table.words;
  const start = table.bucket(generation);
  const end = start + table.buckets * BUCKET_ENTRIES * 2;
  const tag = (generation & 0xff) << 24;
  for (let at = start; at < end; at += 2) {
    const low = words[at]! | 0;
    if ((low & 0xff000000) === tag && records.has(low & (ENTRY_CLOSED - 1))) {
      Atomics.or(words, at, ENTRY_CLOSED);
    }
  }
}

/**
 * Flushes the flows of one generation that match, from record `from` on. `grace` waits until every
 * program that could still write to a closed record has ended.
 */
export async function flushGeneration(
  table: Table,
  generation: number,
  from: number,
  context: FlowContext,
  matches: (flow: Flow) => boolean,
  grace: () => Promise<void>,
): Promise<Flushed> {
  const f = recordFields();
  const flushed: Flushed = { flows: 0, packets: 0n, octets: 0n };
  const homes: number[] = [];
  for (const { flow, number } of generationFlows(table, generation, from, context)) {
    if (matches(flow)) homes.push(number);
  }
  const closed = new Set<number>();
  for (;;) {
    const open = homes
      .flatMap((number) => recordsOf(table, generation, number))
      .filter((number) => !closed.has(number));
    if (open.length === 0) break;
    for (const number of open) closed.add(number);
    closeEntries(table, generation, new Set(open));
    // In the meantime another CPU may have added its record to a flow: that one's turn is next.
    await grace();
  }
  for (const home of homes) {
    if (!standsForFlow(table, f, generation, table.record(generation, home))) continue;
    flushed.flows++;
    for (const number of recordsOf(table, generation, home)) {
      const record = table.record(generation, number);
      table.octets[record * 4 + f.taken] = 1;
      flushed.packets += BigInt(readU64(table.words, record + f.packets));
      flushed.octets += BigInt(readU64(table.words, record + f.octets));
    }
  }
  return flushed;
}
