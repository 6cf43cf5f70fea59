// A record as values in one line, for the console.
import type { ConsoleFormat } from "../agent/config/agent-config.ts";
import { type DataRecord, jsonRecord, type Template } from "../ipfix/index.ts";

/** A record as JSON, or as "name=value …". */
export function recordLine(template: Template, record: DataRecord, format: ConsoleFormat): string {
  const json = jsonRecord(template, record);
  if (format === "json") return json;
  return Object.entries(JSON.parse(json) as Record<string, unknown>)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(" ");
}
