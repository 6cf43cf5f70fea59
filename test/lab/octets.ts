// Octets of addresses, numbers and hexadecimal text, and back.
import ipaddr from "ipaddr.js";

/** Joins arrays of octets. */
export function concat(...parts: ArrayLike<number>[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** `value` as 1 to 6 octets, big-endian. */
export function big(value: number, octets: number): Uint8Array {
  const out = new Uint8Array(octets);
  for (let i = octets - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256))
    out[i] = rest % 256;
  return out;
}

/** The 4 or 16 octets of an address written as text. */
export function addressOctets(text: string): Uint8Array {
  return new Uint8Array(ipaddr.parse(text).toByteArray());
}

/** An address of 4 or 16 octets as text (RFC 5952). */
export function addressText(octets: Uint8Array): string {
  return ipaddr.fromByteArray([...octets]).toString();
}

/** The 6 octets of "02:00:00:00:00:01". */
export function macOctets(text: string): Uint8Array {
  return new Uint8Array(text.split(":").map((part) => Number.parseInt(part, 16)));
}

/** Octets as lower-case hexadecimal digits. */
export function hex(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString("hex");
}

/** Hexadecimal digits, white space between them allowed, as octets. */
export function unhex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(/\s+/g, ""), "hex"));
}
