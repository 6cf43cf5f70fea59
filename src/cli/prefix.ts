// Address prefixes as people write them, IPv6 and IPv4.
import ipaddr from "ipaddr.js";

/**
 * "ADDRESS" or "ADDRESS/LENGTH" as "ADDRESS/LENGTH"; undefined when it is no such thing. IPv4
 * addresses have four decimal parts; a zone ("%eth0") is not part of what a packet carries.
 */
export function parsePrefix(text: string): string | undefined {
  const match = /^([0-9a-f:.]+)(?:\/(\d{1,3}))?$/i.exec(text);
  if (match === null) return undefined;
  const [, address = "", length] = match;
  const isIPv4 = ipaddr.IPv4.isValidFourPartDecimal(address);
  if (!isIPv4 && !(address.includes(":") && ipaddr.IPv6.isValid(address))) return undefined;
  const bits = isIPv4 ? 32 : 128;
  const kept = length === undefined ? bits : Number(length);
  if (kept > bits) return undefined;
  const octets = ipaddr.parse(address);
  const written = octets instanceof ipaddr.IPv6 ? octets.toRFC5952String() : octets.toString();
  return `${written}/${kept}`;
}
