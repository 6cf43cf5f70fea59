// Octet arrays, strings and addresses (RFC 7011 sections 6.1.4, 6.1.6 and 6.1.11 and on).
import { parseIPv4, parseIPv6 } from "../../address-text.ts";
import { counted } from "../../counted.ts";
import { VARIABLE_LENGTH } from "../elements/data-type.ts";
import type { OctetWriter } from "./octet-writer.ts";
import { unfit } from "./value-error.ts";

const utf8 = new TextEncoder();

/** Half of a character that takes two units of UTF-16: nothing that UTF-8 could say. */
const LONE_SURROGATE = /\p{Surrogate}/u;

const MAC_ADDRESS = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i;

/** Writes octets, as many as the field has. Throws VALUE_INVALID. */
export function encodeOctets(writer: OctetWriter, value: unknown, length: number): void {
  const octets = octetsOf(value);
  if (octets === undefined) throw unfit(value, "give a Uint8Array");
  if (length === VARIABLE_LENGTH) writer.variable(octets);
  else if (octets.length === length) writer.copy(octets);
  else throw unfit(value, `the field has ${counted(length, "octet")}, not ${octets.length}`);
}

/** Writes text in UTF-8; in a field of fixed length with zeros behind it. Throws VALUE_INVALID. */
export function encodeString(writer: OctetWriter, value: unknown, length: number): void {
  if (typeof value !== "string") throw unfit(value, "give a string");
  if (LONE_SURROGATE.test(value)) throw unfit(value, "it has half a character (a lone surrogate)");
  const octets = utf8.encode(value);
  if (length === VARIABLE_LENGTH) {
    writer.variable(octets);
    return;
  }
  if (octets.length > length) {
    throw unfit(
      value,
      `the field has ${counted(length, "octet")}, in UTF-8 it takes ${octets.length}`,
    );
  }
  writer.copy(octets);
  writer.reserve(length - octets.length);
}

/** Writes an address of 4 octets. Throws VALUE_INVALID. */
export function encodeIPv4Address(writer: OctetWriter, value: unknown): void {
  encodeAddress(writer, value, 4, parseIPv4, "give an IPv4 address such as 192.0.2.1");
}

/** Writes an address of 16 octets. Throws VALUE_INVALID. */
export function encodeIPv6Address(writer: OctetWriter, value: unknown): void {
  encodeAddress(writer, value, 16, parseIPv6, "give an IPv6 address such as 2001:db8::1");
}

/** Writes an address of 6 octets. Throws VALUE_INVALID. */
export function encodeMacAddress(writer: OctetWriter, value: unknown): void {
  encodeAddress(writer, value, 6, parseMac, "give a MAC address such as 02:00:5e:10:00:01");
}

function parseMac(text: string): number[] | undefined {
  if (!MAC_ADDRESS.test(text)) return undefined;
  return text.split(/[:-]/).map((octet) => Number.parseInt(octet, 16));
}

function encodeAddress(
  writer: OctetWriter,
  value: unknown,
  length: number,
  parse: (text: string) => number[] | undefined,
  rule: string,
): void {
  if (typeof value === "string") {
    const parsed = parse(value);
    if (parsed === undefined) throw unfit(value, rule);
    writer.copy(Uint8Array.from(parsed));
    return;
  }
  const octets = octetsOf(value);
  if (octets?.length !== length) throw unfit(value, `${rule}, or ${length} octets`);
  writer.copy(octets);
}

// Objects may have the prototype of an array without being one.
function octetsOf(value: unknown): Uint8Array | undefined {
  if (!ArrayBuffer.isView(value) || !(value instanceof Uint8Array)) return undefined;
  return value;
}
