// The meter's counters by name: sums over the CPUs, and the ledger of what left the table.

import { layoutOf } from "./layout.ts";

function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

function namesOf(struct: string): { name: string; member: string; index: number }[] {
  return Object.entries(layoutOf(struct).fields)
    .filter(([member, { size }]) => size === 8 && !member.startsWith("pad"))
    .map(([member, { offset }]) => ({ name: camelCase(member), member, index: offset / 8 }));
}

/** Sums every counter over the CPUs' structs in the mapping. */
export function sumCounters(mapping: ArrayBuffer): Record<string, bigint> {
  const values = new BigUint64Array(mapping);
  const stride = layoutOf("counters").size / 8;
  const sums: Record<string, bigint> = {};
  for (const { name, index } of namesOf("counters")) {
    let sum = 0n;
    for (let at = index; at < values.length; at += stride) sum += values[at]!;
    sums[name] = sum;
  }
  return sums;
}

/** What user space counts, in memory that outlives it. */
export class Ledger {
  readonly #values: BigUint64Array;
  readonly #names: { name: string; member: string; index: number }[] = namesOf("ledger");

  constructor(mapping: ArrayBuffer) {
    this.#values = new BigUint64Array(mapping, 0, layoutOf("ledger").size / 8);
  }

  /** Adds to the counter of that name (camelCase, as in `values`). */
  add(name: string, amount: number | bigint): void {
    const entry = this.#names.find((candidate) => candidate.name === name);
    if (entry === undefined) throw new TypeError(`no counter ${name} in the ledger`);
    Atomics.add(this.#values, entry.index, BigInt(amount));
  }

  values(): Record<string, bigint> {
    return Object.fromEntries(this.#names.map(({ name, index }) => [name, this.#values[index]!]));
  }
}
