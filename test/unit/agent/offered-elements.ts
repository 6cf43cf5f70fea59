// Rows of the table of elements that a configuration may list, made from the code.

import { readElementList } from "../../../src/agent/templates/element-list.ts";
import { FLOW_GROUP } from "../../../src/agent/templates/flow-template.ts";
import type { RecordGroup } from "../../../src/agent/templates/record-group.ts";
import { TRACE_GROUPS } from "../../../src/agent/trace/trace-template.ts";
import { ElementRegistry, type FieldSource, ioamElements } from "../../../src/ipfix/index.ts";

const GROUPS: readonly RecordGroup[] = [FLOW_GROUP, ...Object.values(TRACE_GROUPS)];
const LONGEST_INTEGER = 8;

/** Fields of a record, or what else a value comes from. */
function origins(source: FieldSource): string[] {
  switch (source.kind) {
    case "constant":
      return [];
    case "context":
      return ["the agent"];
    case "select":
      return [source.field, ...origins(source.whenSet), ...origins(source.whenClear)];
    default:
      return [source.field];
  }
}

/** "8", "variable", or with the shortest and the longest that a list may ask for "8 (1–8)". */
function octetsOf(group: RecordGroup, name: string, usual: number): string {
  const allowed = Array.from({ length: LONGEST_INTEGER }, (_, i) => i + 1).filter((length) =>
    // An element that every record has beside it, so that nothing else is wrong.
    readElementList(group, [`${name}(${length})`, "ioamNamespaceId"]).mistakes.every(
      ({ at }) => at !== 0,
    ),
  );
  const text = usual === 65535 ? "variable" : String(usual);
  return allowed.length > 1 ? `${text} (${allowed[0]}–${allowed.at(-1)})` : text;
}

/** Cells: element, number, octets, groups, origin. One row for elements that groups have alike. */
export function offeredElements(): string[][] {
  const registry = new ElementRegistry(ioamElements());
  const rows = new Map<string, { cells: string[]; groups: string[] }>();
  for (const group of GROUPS) {
    for (const { name, fields } of group.elements) {
      const given = fields.filter((field) => field !== undefined);
      const { id, enterprise, length } = registry.get(name);
      const number = enterprise === 0 ? String(id) : `${enterprise}/${id}`;
      const octets = octetsOf(group, name, given[0]!.length ?? length);
      const origin = [...new Set(given.flatMap(({ source }) => origins(source)))].join(", ");
      const cells = [name, number, octets, origin];
      const key = cells.join("|");
      const row = rows.get(key) ?? { cells, groups: [] };
      rows.set(key, row);
      row.groups.push(group.name);
    }
  }
  return [...rows.values()].map(({ cells: [name, number, octets, origin], groups }) => [
    name!,
    number!,
    octets!,
    groups.join(", "),
    origin || "constant",
  ]);
}
