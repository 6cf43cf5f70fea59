// Arbitrary values of every type but lists, with what a decoder has to read, for property tests.
import fc from "fast-check";
import {
  type AbstractDataType,
  type InformationElement,
  ianaElements,
  VARIABLE_LENGTH,
  type Value,
} from "../../../src/ipfix/index.ts";
import type { DecodedValue } from "../../conformance/decoded-value.ts";
import { addressText, hex } from "../../lab/octets.ts";

/** A value that is handed over, and what has to arrive. */
export interface ValueCase {
  value: Value;
  expected: DecodedValue;
}

/** The type and the length of a field. */
export interface FieldCase {
  element: InformationElement;
  length: number;
}

const INTEGERS: Partial<Record<AbstractDataType, number>> = {
  unsigned8: 1,
  unsigned16: 2,
  unsigned32: 4,
  unsigned64: 8,
  unsigned256: 32,
  signed8: 1,
  signed16: 2,
  signed32: 4,
  signed64: 8,
};

/** Types whose values are always of one length. */
const FIXED: Partial<Record<AbstractDataType, number>> = {
  float32: 4,
  boolean: 1,
  macAddress: 6,
  dateTimeSeconds: 4,
  dateTimeMilliseconds: 8,
  dateTimeMicroseconds: 8,
  dateTimeNanoseconds: 8,
  ipv4Address: 4,
  ipv6Address: 16,
};

const LISTS: AbstractDataType[] = ["basicList", "subTemplateList", "subTemplateMultiList"];

const TYPES = [
  ...(Object.keys(INTEGERS) as AbstractDataType[]),
  ...(Object.keys(FIXED) as AbstractDataType[]),
  "float64" as const,
  "octetArray" as const,
  "string" as const,
  ...LISTS,
];

/** Ids of an enterprise's elements tell their type, so that a decoder can know it. */
const IDS_OF_A_TYPE = Math.floor(0x8000 / TYPES.length);

/** The type of an element that `anyField` made. */
export function typeOf(enterprise: number, id: number): AbstractDataType {
  if (enterprise !== 0) return TYPES[Math.floor(id / IDS_OF_A_TYPE)]!;
  return ianaElements().find((element) => element.id === id)!.type;
}

function anyElement(type: AbstractDataType, length: number): fc.Arbitrary<InformationElement> {
  const own = fc
    .tuple(fc.integer({ min: 1, max: 2 ** 32 - 1 }), fc.nat(IDS_OF_A_TYPE - 1))
    .map(([enterprise, number]): InformationElement => {
      const id = TYPES.indexOf(type) * IDS_OF_A_TYPE + number;
      const rest = { semantics: "default", units: undefined, status: "current" } as const;
      return { name: `own${enterprise}_${id}`, id, enterprise, type, length, ...rest };
    });
  const iana = ianaElements().filter((element) => element.type === type);
  return iana.length === 0 ? own : fc.oneof(fc.constantFrom(...iana), own);
}

/** A field of any element in any length that its type may have. */
export function anyField(lists: boolean): fc.Arbitrary<FieldCase> {
  const types = lists ? TYPES : TYPES.filter((type) => !LISTS.includes(type));
  return fc
    .constantFrom(...types)
    .chain((type) => anyLength(type).map((length) => ({ type, length })))
    .chain(({ type, length }) =>
      anyElement(type, FIXED[type] ?? INTEGERS[type] ?? length).map((element) => ({
        element,
        length,
      })),
    );
}

function anyLength(type: AbstractDataType): fc.Arbitrary<number> {
  const integer = INTEGERS[type];
  if (integer !== undefined) return fc.integer({ min: 1, max: integer });
  const fixed = FIXED[type];
  if (fixed !== undefined) return fc.constant(fixed);
  if (type === "float64") return fc.constantFrom(4, 8);
  if (LISTS.includes(type)) return fc.constant(VARIABLE_LENGTH);
  return fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constant(VARIABLE_LENGTH));
}

/** A value of a type that is no list, in a field of that length. */
export function anyValue(type: AbstractDataType, length: number): fc.Arbitrary<ValueCase> {
  switch (type) {
    case "octetArray":
      return anyOctets(length).map((octets) => ({ value: octets, expected: hex(octets) }));
    case "string":
      return anyText(length);
    case "boolean":
      return fc.boolean().map((value) => ({ value, expected: value }));
    case "float32":
    case "float64":
      return fc.double().map((double) => {
        const value = length === 4 ? Math.fround(double) : double;
        return { value, expected: value };
      });
    case "macAddress":
      return anyAddress(6, macTexts);
    case "ipv4Address":
      return anyAddress(4, (octets) => [addressText(octets)]);
    case "ipv6Address":
      return anyAddress(16, ipv6Texts);
    case "dateTimeSeconds":
      return anyTime(1n, 1n << 32n);
    case "dateTimeMilliseconds":
      return anyTime(1000n, 1n << 64n);
    case "dateTimeMicroseconds":
      return anyTime(1_000_000n, 1_000_000n << 32n);
    case "dateTimeNanoseconds":
      return anyTime(1_000_000_000n, 1_000_000_000n << 32n);
    default:
      return anyInteger(type.startsWith("signed"), length);
  }
}

/** A number where that is exact, or else and now and then a bigint. */
function asNumber(value: bigint, bigint: boolean): number | bigint {
  return bigint || !Number.isSafeInteger(Number(value)) ? value : Number(value);
}

function anyCount(least: bigint, most: bigint): fc.Arbitrary<ValueCase> {
  const edges = fc.constantFrom(least, most);
  const value = fc.oneof({ arbitrary: fc.bigInt(least, most), weight: 4 }, edges);
  return fc
    .tuple(value, fc.boolean())
    .map(([count, bigint]) => ({ value: asNumber(count, bigint), expected: count }));
}

function anyInteger(signed: boolean, length: number): fc.Arbitrary<ValueCase> {
  const limit = 1n << BigInt(8 * length - (signed ? 1 : 0));
  return anyCount(signed ? -limit : 0n, limit - 1n);
}

function anyTime(perSecond: bigint, limit: bigint): fc.Arbitrary<ValueCase> {
  const latest = new Date((2 ** 32 - 1) * 1000);
  const date = fc.date({ min: new Date(0), max: latest, noInvalidDate: true });
  return fc.oneof(
    anyCount(0n, limit - 1n),
    date.map((value) => ({ value, expected: (BigInt(value.getTime()) * perSecond) / 1000n })),
  );
}

function anyOctets(length: number): fc.Arbitrary<Uint8Array> {
  if (length !== VARIABLE_LENGTH) return fc.uint8Array({ minLength: length, maxLength: length });
  // Around the length from which on the length itself takes three octets.
  const long = fc.uint8Array({ minLength: 250, maxLength: 260, size: "max" });
  return fc.oneof({ arbitrary: fc.uint8Array({ maxLength: 20 }), weight: 4 }, long);
}

function anyText(length: number): fc.Arbitrary<ValueCase> {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.string({ minLength: 250, maxLength: 260, size: "max" }),
  );
  return text.map((whole) => {
    let value = whole;
    while (length !== VARIABLE_LENGTH && Buffer.byteLength(value) > length) {
      value = Array.from(value).slice(0, -1).join("");
    }
    // Zeros at its end cannot be told from the padding.
    return { value, expected: value.replace(/\0+$/, "") };
  });
}

function anyAddress(
  length: number,
  texts: (octets: Uint8Array) => string[],
): fc.Arbitrary<ValueCase> {
  const zeros = fc.uint8Array({ minLength: length, maxLength: length, max: 1 });
  return fc.tuple(fc.oneof(anyOctets(length), zeros), fc.nat(5)).map(([octets, choice]) => ({
    value: texts(octets)[choice] ?? octets,
    expected: hex(octets),
  }));
}

function macTexts(octets: Uint8Array): string[] {
  const digits = hex(octets).match(/../g)!;
  return [digits.join(":"), digits.join("-"), digits.join(":").toUpperCase()];
}

function ipv6Texts(octets: Uint8Array): string[] {
  const groups = hex(octets).match(/..../g)!;
  const last = Array.from(octets.subarray(12)).join(".");
  return [
    addressText(octets),
    groups.join(":"),
    groups.join(":").toUpperCase(),
    `${groups.slice(0, 6).join(":")}:${last}`,
  ];
}
