// How much is in the table: flows, packets and octets that were neither exported nor flushed.

import { readU64, recordFields } from "./record.ts";
import { standsForFlow } from "./scan.ts";
import type { Table } from "./table.ts";

export interface Contents {
  flows: number;
  packets: bigint;
  octets: bigint;
}

/** Adds what the records of a generation hold, from record `from` (counted from 0) on. */
export function addContents(to: Contents, table: Table, generation: number, from: number): void {
  const f = recordFields();
  const { words, octets: bytes } = table;
  const count = table.count(generation);
  // Doubles are exact below 2^53, which a slice of a table does not reach.
  let packets = 0;
  let octets = 0;
  for (let number = from + 1; number <= count; number++) {
    const record = table.record(generation, number);
    if (words[record + f.stamp] !== generation || bytes[record * 4 + f.taken] !== 0) continue;
    if (standsForFlow(table, f, generation, record)) to.flows++;
    packets += readU64(words, record + f.packets);
    octets += readU64(words, record + f.octets);
  }
  to.packets += BigInt(packets);
  to.octets += BigInt(octets);
}
