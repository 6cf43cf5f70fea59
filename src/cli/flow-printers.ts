// How the agent's console prints flows and traces.
import type { ExportedFlow, Printers } from "../agent/sinks/console-sink.ts";
import type { ExportedTrace } from "../agent/trace/exported-trace.ts";
import type { TimestampFormats } from "../ioam/index.ts";
import { eventObject } from "./event-json.ts";
import { eventLines } from "./event-lines.ts";
import { flowColumns, TABLE_WIDTH } from "./flow-table.ts";
import { toJson } from "./json.ts";
import { print } from "./output.ts";
import { type Column, tableLines } from "./table.ts";

/** One JSON object a line; or a table for every part of an export, and lines for every trace. */
export function printers(formats: TimestampFormats): { json: Printers; text: Printers } {
  return {
    json: {
      flows: (flows) => print(jsonLines(flows)),
      traces: (traces) => print(traceObjects(traces, formats)),
    },
    text: {
      flows: (flows) => print(tableLines(exportColumns(flows), flows, { width: TABLE_WIDTH })),
      traces: (traces) => print(traceLines(traces, formats)),
    },
  };
}

function* traceObjects(traces: ExportedTrace[], formats: TimestampFormats): Generator<string> {
  for (const trace of traces) yield toJson(eventObject(trace, formats));
}

function* traceLines(traces: ExportedTrace[], formats: TimestampFormats): Generator<string> {
  for (const trace of traces) {
    yield* eventLines(trace, formats);
    const { pathDelayMicroseconds: delay } = trace;
    if (delay !== undefined) yield `  path delay ${delay} µs`;
  }
}

function* jsonLines(flows: ExportedFlow[]): Generator<string> {
  for (const flow of flows) yield toJson(flow);
}

function exportColumns(flows: ExportedFlow[]): Column<ExportedFlow>[] {
  const netns: Column<ExportedFlow> = { title: "NETNS", cell: (flow) => flow.netns ?? "-" };
  const columns = flowColumns(Date.now());
  return flows.some((flow) => flow.netns !== null) ? [netns, ...columns] : columns;
}
