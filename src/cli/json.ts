// JSON as scripts can read it: 64-bit integers as numbers while those are exact, else as strings.
import { exactInteger } from "../exact-integer.ts";

/** One line of JSON; integers above 2^53 become strings, undefined properties are left out. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, exactIntegers);
}

/** The same over several lines, indented, for documents that people look at as well. */
export function toIndentedJson(value: unknown): string {
  return JSON.stringify(value, exactIntegers, 2);
}

/** A JSON array with one element a line, without ever holding it whole. */
export function* jsonArrayLines(values: Iterable<unknown>): Generator<string> {
  let previous: string | undefined;
  for (const value of values) {
    yield previous === undefined ? "[" : `${previous},`;
    previous = `  ${toJson(value)}`;
  }
  if (previous === undefined) yield "[]";
  else {
    yield previous;
    yield "]";
  }
}

function exactIntegers(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? exactInteger(value) : value;
}
