// The context of an export as the generated encoders read it: doubles in fixed slots.
import { counted } from "../../counted.ts";
import { IoamctlError } from "../../errors.ts";
import type { ExportContext } from "../field-source.ts";

/** Slots: two for the clock, then two (high and low half) for each value. */
export const CLOCK_MILLISECONDS = 0;
export const CLOCK_REMAINDER = 1;
export const FIRST_VALUE = 2;

const NANOSECONDS = 1_000_000n;

/**
 * Fills the slots of `array`; `values` are those that the template uses, in the order of their
 * slots, with the octets that they must fit into. Throws CONTEXT_INVALID when one does not.
 */
export function fillContext(
  array: Float64Array,
  values: ReadonlyMap<string, number>,
  context: ExportContext,
): void {
  const offset = context.clockOffset ?? 0n;
  // Rounded down, so that the remainder is positive whatever the offset's sign.
  const remainder = ((offset % NANOSECONDS) + NANOSECONDS) % NANOSECONDS;
  array[CLOCK_MILLISECONDS] = Number((offset - remainder) / NANOSECONDS);
  array[CLOCK_REMAINDER] = Number(remainder);
  let slot = FIRST_VALUE;
  for (const [name, octets] of values) {
    const bits = contextValue(name, octets, context.values?.[name]);
    array[slot++] = Number(bits >> 32n);
    array[slot++] = Number(bits & 0xffffffffn);
  }
}

function contextValue(name: string, octets: number, value: number | bigint | undefined): bigint {
  if (typeof value === "bigint" || Number.isSafeInteger(value)) {
    const bits = BigInt(value as number | bigint);
    if (bits >= 0n && bits < 1n << BigInt(8 * octets)) return bits;
  }
  throw new IoamctlError(
    "CONTEXT_INVALID",
    `the templates need ${name} in the context, an unsigned integer of ${counted(octets, "octet")}, not ${value}`,
  );
}
