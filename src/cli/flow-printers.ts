// How the agent's console prints flows.
import type { ExportedFlow, FlowPrinter } from "../agent/console-sink.ts";
import { flowColumns, TABLE_WIDTH } from "./flow-table.ts";
import { toJson } from "./json.ts";
import { print } from "./output.ts";
import { type Column, tableLines } from "./table.ts";

/** One JSON object a line, or a table for every part of an export. */
export const flowPrinters: { readonly json: FlowPrinter; readonly text: FlowPrinter } = {
  json: (flows) => print(jsonLines(flows)),
  text: (flows) => print(tableLines(exportColumns(flows), flows, { width: TABLE_WIDTH })),
};

function* jsonLines(flows: ExportedFlow[]): Generator<string> {
  for (const flow of flows) yield toJson(flow);
}

function exportColumns(flows: ExportedFlow[]): Column<ExportedFlow>[] {
  const netns: Column<ExportedFlow> = { title: "NETNS", cell: (flow) => flow.netns ?? "-" };
  const columns = flowColumns(Date.now());
  return flows.some((flow) => flow.netns !== null) ? [netns, ...columns] : columns;
}
