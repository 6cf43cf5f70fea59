// Addresses as people write them: their octets, and back.
import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

/** The 4 octets of "192.0.2.1"; undefined for anything else. */
export function parseIPv4(text: string): number[] | undefined {
  return isIPv4(text) ? ipaddr.IPv4.parse(text).toByteArray() : undefined;
}

/** The 16 octets of "2001:db8::1" (RFC 4291 section 2.2); undefined for anything else. */
export function parseIPv6(text: string): number[] | undefined {
  // A zone is of this host alone, and has no place in the octets.
  if (!isIPv6(text) || text.includes("%")) return undefined;
  // ipaddr.js takes ::192.0.2.1 for ::ffff:192.0.2.1.
  return ipaddr.IPv6.parse(text.replace(/^::(?=\d+\.)/, "0::")).toByteArray();
}

/** The 4 or 16 octets of either; undefined for anything else. */
export function parseAddress(text: string): number[] | undefined {
  return parseIPv4(text) ?? parseIPv6(text);
}

/** 4 or 16 octets as text (RFC 5952). */
export function addressText(octets: Iterable<number>): string {
  const address = ipaddr.fromByteArray([...octets]);
  return address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString();
}
