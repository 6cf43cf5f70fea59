// The flows that are in the table now: of the active generation, and of a sealed one not yet exported.

import { ELEMENT_SIZE } from "./abi.ts";
import { type Flow, type FlowContext, readFlow } from "./flow.ts";
import { mergeRecords, type RecordPlace } from "./merge.ts";
import { recordFields, resolveSequence } from "./record.ts";
import { standsForFlow } from "./scan.ts";
import type { Table } from "./table.ts";

/** A flow and the record (number) that stands for it. */
export interface LiveFlow {
  flow: Flow;
  generation: number;
  number: number;
}

function privatePlace(): RecordPlace & { view: DataView } {
  const buffer = new ArrayBuffer(ELEMENT_SIZE);
  return {
    words: new Uint32Array(buffer),
    octets: new Uint8Array(buffer),
    at: 0,
    view: new DataView(buffer),
  };
}

/**
 * The flows of one generation from record `from` (counted from 0) on, read while the programs
 * write: each flow is as of some moment during the walk. Nothing in the table is changed.
 */
export function* generationFlows(
  table: Table,
  generation: number,
  from: number,
  context: FlowContext,
): Generator<LiveFlow> {
  const f = recordFields();
  const place = privatePlace();
  const count = table.count(generation);
  for (let number = from + 1; number <= count; number++) {
    const record = table.record(generation, number);
    if (!standsForFlow(table, f, generation, record)) continue;
    mergeRecords(table, f, generation, record, place);
    resolveSequence(place.words, place.octets, 0, f);
    yield { flow: readFlow(place.view, 0, context), generation, number };
  }
}

/** Every flow in the table: first those sealed and not exported, then the active generation's. */
export function* liveFlows(table: Table, context: FlowContext): Generator<LiveFlow> {
  const active = table.generation;
  yield* generationFlows(table, active - 1, table.cursor(active - 1), context);
  yield* generationFlows(table, active, 0, context);
}
