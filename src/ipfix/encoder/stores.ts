// Turns the octets of a data record into as few stores as possible.
import { type Assembled, assemble, type WireOctet } from "./wire-octet.ts";

const METHOD: Readonly<Record<number, string>> = { 1: "setInt8", 2: "setInt16", 4: "setInt32" };

/**
 * Stores that write all octets, in order, into the DataView `view` from `position` on. Words that
 * lie whole in one variable are stored as they are; the small fields between them together.
 */
export function planStores(octets: readonly WireOctet[], view: string, position: string): string[] {
  const stores: string[] = [];
  for (let at = 0; at < octets.length; ) {
    const count = isWord(octets, at) ? 4 : chunk(octets, at);
    const slice = octets.slice(at, at + count);
    const little = assemble(slice, true);
    const big = assemble(slice, false);
    const best = little.parts <= big.parts ? little : big;
    stores.push(storeStatement(view, position, at, count, best, best === little));
    at += count;
  }
  return stores;
}

function storeStatement(
  view: string,
  position: string,
  at: number,
  count: number,
  value: Assembled,
  littleEndian: boolean,
): string {
  const where = at === 0 ? position : `(${position} + ${at}) | 0`;
  const order = littleEndian && count > 1 ? ", true" : "";
  return `${view}.${METHOD[count]}(${where}, ${value.expression}${order});`;
}

// Whether the four octets at `at` are one variable, in either byte order.
function isWord(octets: readonly WireOctet[], at: number): boolean {
  const four = octets.slice(at, at + 4);
  if (four.length < 4) return false;
  return (
    (assemble(four, true).parts === 1 || assemble(four, false).parts === 1) &&
    four.some((octet) => "variable" in octet)
  );
}

// How many octets to store at once where no whole word begins: up to the next one.
function chunk(octets: readonly WireOctet[], at: number): number {
  let free = 1;
  while (free < 4 && at + free < octets.length && !isWord(octets, at + free)) free++;
  return free === 3 ? 2 : free;
}
