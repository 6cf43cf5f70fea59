// Integers in JSON: numbers while those are exact, else strings.

const EXACT = 2n ** 53n;

/** A number up to 2^53, beyond that decimal digits: what JSON's readers can take without a loss. */
export function exactInteger(value: bigint): number | string {
  return value >= -EXACT && value <= EXACT ? Number(value) : String(value);
}
