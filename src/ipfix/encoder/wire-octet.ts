// The generated encoder's intermediate form: each octet on the wire, as part of a 32-bit local.

/** One octet of a data record: octet `index` (0 least significant) of a local variable, or a constant. */
export type WireOctet =
  | { readonly variable: string; readonly index: number }
  | { readonly constant: number };

/** The `count` least significant octets of a local variable, most significant first. */
export function bigEndianOctets(variable: string, count: number): WireOctet[] {
  return Array.from({ length: count }, (_, i) => ({ variable, index: count - 1 - i }));
}

/** `value` as `count` octets, most significant first. */
export function constantOctets(value: number, count: number): WireOctet[] {
  return Array.from({ length: count }, (_, i) => {
    const significance = count - 1 - i;
    return { constant: significance > 3 ? 0 : (value >>> (8 * significance)) & 255 };
  });
}

/** An expression, and how many parts it is made of: fewer is faster. */
export interface Assembled {
  readonly expression: string;
  readonly parts: number;
}

/**
 * The expression of a 32-bit integer whose octets, written with that byte order, are these
 * (1, 2 or 4 of them). Octets that lie next to each other in a variable in the same order are
 * moved together.
 */
export function assemble(octets: readonly WireOctet[], littleEndian: boolean): Assembled {
  // Work from the least significant octet up, whichever end of the wire that is.
  const rising = littleEndian ? octets : octets.toReversed();
  const terms: string[] = [];
  let constant = 0;
  for (let i = 0; i < rising.length; ) {
    const first = rising[i];
    if ("constant" in first) {
      constant |= first.constant << (8 * i);
      i++;
      continue;
    }
    let run = 1;
    while (i + run < rising.length && continues(first, rising[i + run], run)) run++;
    terms.push(moved(first.variable, first.index, run, i, rising.length));
    i += run;
  }
  if (constant !== 0 || terms.length === 0) terms.push(String(constant));
  return { expression: terms.join(" | "), parts: terms.length };
}

function continues(
  first: { variable: string; index: number },
  next: WireOctet,
  distance: number,
): boolean {
  return (
    "variable" in next && next.variable === first.variable && next.index === first.index + distance
  );
}

// `run` octets of a variable from octet `from`, moved to octet `to` of a value of `width` octets.
function moved(variable: string, from: number, run: number, to: number, width: number): string {
  // What is above the value's width is cut off by the store itself.
  const reachesTop = to + run === width;
  let term = from === 0 ? variable : `${variable} >>> ${8 * from}`;
  if (!reachesTop && from + run < 4) {
    term = `${from === 0 ? term : `(${term})`} & ${2 ** (8 * run) - 1}`;
  }
  if (to > 0) term = `${term === variable ? term : `(${term})`} << ${8 * to}`;
  return term === variable ? term : `(${term})`;
}
