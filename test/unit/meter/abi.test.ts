// The constants that TypeScript repeats are those of bpf/records.h and bpf/ioam.h.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as abi from "../../../src/meter/abi.ts";

const HEADERS = ["records.h", "ioam.h"]
  .map((name) => readFileSync(new URL(`../../../bpf/${name}`, import.meta.url), "utf8"))
  .join("\n");

/** The value of a #define: a number, or an expression of shifts, products and other #defines. */
function defined(name: string): number {
  const text = new RegExp(`^#define ${name} (.+?)(?:\\s*/\\*.*)?$`, "m").exec(HEADERS)?.[1];
  if (text === undefined) throw new Error(`no #define ${name}`);
  const plain = text
    .replace(/\b(0x[0-9a-fA-F]+|\d+)U?(?:LL)?\b/g, "$1")
    .replace(/\b[A-Z][A-Z0-9_]+\b/g, (other) => String(defined(other)));
  if (!/^[\d\sa-fx()<*/+-]+$/.test(plain)) throw new Error(`${name} is ${text}`);
  return new Function(`return (${plain}) >>> 0`)() as number;
}

test.each(Object.entries(abi))("%s", (name, value) => {
  expect(defined(name)).toBe(value);
});
