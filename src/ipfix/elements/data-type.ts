// The abstract data types of RFC 7012 section 3.1, with what RFC 7011 section 6 says of their encoding.

/** Abstract data types, named as in IANA's registry. */
export type AbstractDataType =
  | "octetArray"
  | "unsigned8"
  | "unsigned16"
  | "unsigned32"
  | "unsigned64"
  | "unsigned256"
  | "signed8"
  | "signed16"
  | "signed32"
  | "signed64"
  | "float32"
  | "float64"
  | "boolean"
  | "macAddress"
  | "string"
  | "dateTimeSeconds"
  | "dateTimeMilliseconds"
  | "dateTimeMicroseconds"
  | "dateTimeNanoseconds"
  | "ipv4Address"
  | "ipv6Address"
  | "basicList"
  | "subTemplateList"
  | "subTemplateMultiList";

/** The template length that says "each record carries its own" (RFC 7011 section 7). */
export const VARIABLE_LENGTH = 65535;

/** Octets of a value of each type; VARIABLE_LENGTH for the types that have no size of their own. */
export const NATURAL_LENGTH: Readonly<Record<AbstractDataType, number>> = {
  octetArray: VARIABLE_LENGTH,
  unsigned8: 1,
  unsigned16: 2,
  unsigned32: 4,
  unsigned64: 8,
  unsigned256: 32,
  signed8: 1,
  signed16: 2,
  signed32: 4,
  signed64: 8,
  float32: 4,
  float64: 8,
  boolean: 1,
  macAddress: 6,
  string: VARIABLE_LENGTH,
  dateTimeSeconds: 4,
  dateTimeMilliseconds: 8,
  dateTimeMicroseconds: 8,
  dateTimeNanoseconds: 8,
  ipv4Address: 4,
  ipv6Address: 16,
  basicList: VARIABLE_LENGTH,
  subTemplateList: VARIABLE_LENGTH,
  subTemplateMultiList: VARIABLE_LENGTH,
};

const REDUCIBLE = /^(un)?signed(16|32|64|256)$/;

/**
 * Whether a field of this type may be `length` octets on the wire: its natural length, any fixed
 * length for octet arrays and strings, fewer octets for integers (RFC 7011 section 6.2), 4 for
 * float64. Times and addresses are never reduced.
 */
export function isLengthAllowed(type: AbstractDataType, length: number): boolean {
  if (!Number.isInteger(length) || length < 1 || length >= VARIABLE_LENGTH) return false;
  const natural = NATURAL_LENGTH[type];
  if (type === "octetArray" || type === "string") return true;
  if (natural === VARIABLE_LENGTH) return false;
  if (length === natural) return true;
  if (type === "float64") return length === 4;
  return REDUCIBLE.test(type) && length < natural;
}
