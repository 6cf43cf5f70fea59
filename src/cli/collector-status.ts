// What status says of the collectors and files that agents export to.
import type { CollectorStatus } from "../agent/sinks/exporter.ts";
import { ofDestination } from "./of-destination.ts";
import { type TableStyle, tableLines } from "./table.ts";

/** Nothing where no agent exports. */
export function* collectorLines(
  collectors: readonly CollectorStatus[],
  style: TableStyle,
): Generator<string> {
  if (collectors.length === 0) return;
  yield "";
  yield* tableLines<CollectorStatus>(
    [
      { title: "COLLECTOR", cell: ({ name }) => name },
      { title: "STATE", cell: ({ state }) => state },
      { title: "SESSIONS", align: "right", cell: ({ sessions }) => String(sessions) },
      { title: "MESSAGES", align: "right", cell: ({ messages }) => String(messages) },
      { title: "RECORDS", align: "right", cell: ({ records }) => String(records) },
      { title: "DROPPED", align: "right", cell: ({ droppedRecords }) => String(droppedRecords) },
      { title: "REFUSALS", align: "right", cell: ({ refusals }) => String(refusals) },
    ],
    collectors,
    style,
  );
  for (const { name, error } of collectors) {
    if (error !== undefined) yield ofDestination(name, error);
  }
}
