// Integers that are sent in fewer octets than they have: what does not fit becomes the nearest that does.
import type { Definitions, Halves } from "./definitions.ts";

const isZero = (half: string): boolean => half === "0";

/** An unsigned integer in `length` octets (RFC 7011 section 6.2): the greatest value where it does not fit. */
export function narrowUnsigned(definitions: Definitions, value: Halves, length: number): Halves {
  const { high, low } = value;
  const tooBig: string[] = [];
  if (length <= 4 && !isZero(high)) tooBig.push(`${high} !== 0`);
  if (length < 4) tooBig.push(`${low} >>> ${8 * length} !== 0`);
  if (length > 4 && length < 8 && !isZero(high)) {
    tooBig.push(`${high} >>> ${8 * (length - 4)} !== 0`);
  }
  if (tooBig.length === 0) return value;
  const condition = tooBig.join(" || ");
  const pick = (half: string): string => definitions.defineNew(`${condition} ? -1 : ${half}`);
  return { high: length > 4 ? pick(high) : "0", low: pick(low) };
}

/** A signed integer in `length` octets: the lowest or greatest value where it does not fit. */
export function narrowSigned(definitions: Definitions, value: Halves, length: number): Halves {
  const { high, low } = value;
  if (length >= 8) return value;
  const pick = (
    fits: string,
    kept: string,
    least: number | string,
    most: number | string,
  ): string => definitions.defineNew(`${fits} ? ${kept} : ${high} < 0 ? ${least} : ${most}`);
  if (length > 4) {
    const shift = 64 - 8 * length;
    const fits = `(${high} << ${shift}) >> ${shift} === ${high}`;
    const least = -(2 ** (31 - shift));
    return { high: pick(fits, high, least, -least - 1), low: pick(fits, low, 0, -1) };
  }
  const shift = 32 - 8 * length;
  const sign = `${low} >> 31 === ${high}`;
  const fits = shift === 0 ? sign : `(${low} << ${shift}) >> ${shift} === ${low} && ${sign}`;
  const least = -(2 ** (31 - shift));
  return { high, low: pick(`(${fits})`, low, least, -least - 1) };
}
