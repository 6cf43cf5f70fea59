// Address prefixes as people write them, IPv6 and IPv4, and what lies in them.
import { addressText, parseAddress } from "./address-text.ts";

/** The addresses whose first bits are these. */
export interface AddressPrefix {
  /** 4 or 16. */
  readonly octets: readonly number[];
  /** Bits that count: 0 to 32 or 128. */
  readonly length: number;
}

/** "ADDRESS/LENGTH", or "ADDRESS" with all of its bits; undefined for anything else. */
export function parsePrefix(text: string): AddressPrefix | undefined {
  const [, address = "", digits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const octets = parseAddress(address);
  if (octets === undefined) return undefined;
  const bits = 8 * octets.length;
  const length = digits === undefined ? bits : Number(digits);
  return length <= bits ? { octets, length } : undefined;
}

/** "ADDRESS/LENGTH". */
export function prefixText({ octets, length }: AddressPrefix): string {
  return `${addressText(octets)}/${length}`;
}

/** Whether an address of 4 or 16 octets lies in a prefix; none of the other version does. */
export function isInPrefix(address: readonly number[], { octets, length }: AddressPrefix): boolean {
  if (address.length !== octets.length) return false;
  const whole = length >>> 3;
  for (let i = 0; i < whole; i++) if (address[i] !== octets[i]) return false;
  const rest = length & 7;
  return rest === 0 || (address[whole]! ^ octets[whole]!) >>> (8 - rest) === 0;
}
