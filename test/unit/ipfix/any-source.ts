// Arbitrary fields with sources in a record, for property tests of compiled encoders.
import fc from "fast-check";
import {
  type FieldSource,
  type InformationElement,
  VARIABLE_LENGTH,
} from "../../../src/ipfix/index.ts";
import {
  floatValue,
  hex,
  ntpValue,
  signedValue,
  unsignedValue,
} from "../../conformance/decoder.ts";

export type Type = InformationElement["type"];

/** A field, what the record must hold for it, and what has to arrive. */
export interface FieldCase {
  type: Type;
  length: number;
  /** Octets in the record, little-endian where they are a number; none for a constant. */
  stored: Uint8Array[];
  source: (names: string[]) => FieldSource;
  /** A value of the context that the field needs. */
  context?: bigint;
  read: (octets: Uint8Array) => unknown;
  expected: (clockOffset: bigint) => unknown;
}

function littleEndian(value: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}

const bits = (octets: number): bigint => 1n << BigInt(8 * octets);
const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const one =
  (make: (name: string) => FieldSource) =>
  ([name]: string[]): FieldSource =>
    make(name);

const INTEGERS: [Type, number][] = [
  ["unsigned8", 1],
  ["unsigned16", 2],
  ["unsigned32", 4],
  ["unsigned64", 8],
  ["unsigned256", 32],
  ["signed8", 1],
  ["signed16", 2],
  ["signed32", 4],
  ["signed64", 8],
];
const UNSIGNED = INTEGERS.filter(([type]) => type.startsWith("u"));
const anySize = fc.constantFrom(1, 2, 4, 8);
const sized = (choices: readonly [Type, number][]) =>
  fc
    .constantFrom(...choices)
    .chain(([type, natural]) =>
      fc.record({ type: fc.constant(type), length: fc.integer({ min: 1, max: natural }) }),
    );

const integer: fc.Arbitrary<FieldCase> = fc
  .tuple(sized(INTEGERS), anySize)
  .chain(([{ type, length }, size]) => {
    const signed = type.startsWith("s");
    const limit = bits(size) / (signed ? 2n : 1n);
    const top = bits(length) / (signed ? 2n : 1n) - 1n;
    const bottom = signed ? -top - 1n : 0n;
    // Values at the limits of the length matter as much as those of the size.
    const edges = [top, top + 1n, bottom, bottom - 1n].filter(
      (v) => v < limit && v >= (signed ? -limit : 0n),
    );
    return fc
      .oneof(
        fc.bigInt({ min: signed ? -limit : 0n, max: limit - 1n }),
        ...edges.map((v) => fc.constant(v)),
      )
      .map((value) => ({
        type,
        length,
        stored: [littleEndian(value, size)],
        source: one((field) => ({ kind: signed ? "signed" : "unsigned", field })),
        read: signed ? signedValue : unsignedValue,
        expected: () => most(bottom, least(value, top)),
      }));
  });

const network: fc.Arbitrary<FieldCase> = fc
  .tuple(
    sized(UNSIGNED),
    // Leading zeros matter: with them a value fits a shorter field.
    fc.array(fc.oneof(fc.constant(0), fc.nat(255)), { minLength: 1, maxLength: 8 }),
  )
  .map(([{ type, length }, digits]) => {
    const octets = Uint8Array.from(digits);
    return {
      type,
      length,
      stored: [octets],
      source: one((field) => ({ kind: "network", field })),
      read: unsignedValue,
      expected: () => least(unsignedValue(octets), bits(length) - 1n),
    };
  });

const floating: fc.Arbitrary<FieldCase> = fc
  .tuple(
    fc.constantFrom<[Type, number]>(["float32", 4], ["float64", 4], ["float64", 8]),
    fc.constantFrom(4, 8),
    fc.double({ noNaN: true }),
  )
  .map(([[type, length], size, double]) => {
    const value = size === 4 ? Math.fround(double) : double;
    const stored = new Uint8Array(size);
    const view = new DataView(stored.buffer);
    if (size === 4) view.setFloat32(0, value, true);
    else view.setFloat64(0, value, true);
    return {
      type,
      length,
      stored: [stored],
      source: one((field) => ({ kind: "float", field })),
      read: floatValue,
      expected: () => (length === 4 ? Math.fround(value) : value),
    };
  });

const copied: fc.Arbitrary<FieldCase> = fc
  .tuple(
    fc.oneof(
      fc.constantFrom<[Type, number]>(["ipv4Address", 4], ["ipv6Address", 16], ["macAddress", 6]),
      fc.tuple(fc.constantFrom<Type>("octetArray", "string"), fc.integer({ min: 1, max: 40 })),
    ),
    fc.nat(5),
    fc.nat(5),
  )
  .chain(([[type, length], before, after]) =>
    fc
      .uint8Array({ minLength: before + length + after, maxLength: before + length + after })
      .map((octets) => ({
        type,
        length,
        stored: [octets],
        source: one((field) => ({ kind: "octets", field, at: before })),
        read: hex,
        expected: () => hex(octets.subarray(before, before + length)),
      })),
  );

const TIMES: Record<string, { unit: bigint; length: number }> = {
  dateTimeSeconds: { unit: 1_000_000_000n, length: 4 },
  dateTimeMilliseconds: { unit: 1_000_000n, length: 8 },
};

const time: fc.Arbitrary<FieldCase> = fc
  .tuple(
    fc.constantFrom<Type>(
      "dateTimeSeconds",
      "dateTimeMilliseconds",
      "dateTimeMicroseconds",
      "dateTimeNanoseconds",
    ),
    // The context's offset brings it to the present: uptimes of up to 30 years.
    fc.bigInt({ min: 0n, max: 1_000_000_000_000_000_000n }),
  )
  .map(([type, nanoseconds]) => {
    const plain = TIMES[type];
    return {
      type,
      length: plain?.length ?? 8,
      stored: [littleEndian(nanoseconds, 8)],
      source: one((field) => ({ kind: "time", field })),
      read: plain === undefined ? (octets) => ntpValue(octets) : unsignedValue,
      expected: (clockOffset) => {
        const unix = nanoseconds + clockOffset;
        if (plain !== undefined) return BigInt.asUintN(8 * plain.length, unix / plain.unit);
        // Seconds wrap in 2036; the fraction is the least from which the time can be read back.
        const seconds = (unix / 1_000_000_000n + 2208988800n) % 2n ** 32n;
        const rest = unix % 1_000_000_000n;
        const kept =
          type === "dateTimeNanoseconds"
            ? ((rest << 32n) + 999_999_999n) / 1_000_000_000n
            : ((((rest / 1000n) << 21n) + 999_999n) / 1_000_000n) << 11n;
        return ((seconds - 2208988800n) << 32n) | kept;
      },
    };
  });

const masked: fc.Arbitrary<FieldCase> = fc
  .tuple(fc.constantFrom(1, 2, 4), fc.nat(2 ** 32 - 1), fc.nat(31), fc.nat(2 ** 32 - 1))
  .map(([size, word, shift, mask]) => {
    const value = word % 2 ** (8 * size);
    return {
      type: "unsigned32",
      length: 4,
      stored: [littleEndian(BigInt(value), size)],
      source: one((field) => ({ kind: "bits", field, shift, mask })),
      read: unsignedValue,
      expected: () => BigInt(((value >>> shift) & mask) >>> 0),
    };
  });

const constant: fc.Arbitrary<FieldCase> = sized(UNSIGNED).chain(({ type, length }) =>
  fc.nat(Math.min(2 ** (8 * length), 2 ** 32) - 1).map((value) => ({
    type,
    length,
    stored: [],
    source: () => ({ kind: "constant", value }),
    read: unsignedValue,
    expected: () => BigInt(value),
  })),
);

const contextual: fc.Arbitrary<FieldCase> = sized(UNSIGNED).chain(({ type, length }) =>
  fc.bigInt({ min: 0n, max: bits(Math.min(length, 8)) - 1n }).map((value) => ({
    type,
    length,
    stored: [],
    source: ([name]) => ({ kind: "context", name }),
    context: value,
    read: unsignedValue,
    expected: () => value,
  })),
);

const plain: fc.Arbitrary<FieldCase> = fc.oneof(
  integer,
  network,
  floating,
  copied,
  time,
  masked,
  constant,
  contextual,
);

// One or the other of two constants: how a boolean of RFC 7011 section 6.1.5 is made.
const boolean: fc.Arbitrary<FieldCase> = fc
  .tuple(fc.nat(255), fc.nat(255))
  .map(([value, mask]) => ({
    type: "boolean",
    length: 1,
    stored: [Uint8Array.of(value)],
    source: one((field) => ({
      kind: "select",
      field,
      mask,
      whenSet: { kind: "constant", value: 1 },
      whenClear: { kind: "constant", value: 2 },
    })),
    read: unsignedValue,
    expected: () => ((value & mask) !== 0 ? 1n : 2n),
  }));

const selected: fc.Arbitrary<FieldCase> = fc
  .tuple(
    fc.nat(255),
    sized(INTEGERS),
    fc.uint8Array({ minLength: 8, maxLength: 8 }),
    fc.uint8Array({ minLength: 40, maxLength: 40 }),
  )
  .map(([value, { type, length }, number, octets]) => ({
    type,
    length,
    stored: [Uint8Array.of(value), number, octets],
    source: ([flag, numberField, octetsField]) => ({
      kind: "select",
      field: flag,
      mask: 4,
      whenSet: { kind: "octets", field: octetsField },
      whenClear: { kind: "unsigned", field: numberField },
    }),
    read: unsignedValue,
    expected: () =>
      (value & 4) !== 0
        ? unsignedValue(octets.subarray(0, length))
        : least(unsignedValue(number.toReversed()), bits(length) - 1n),
  }));

/** A field of any source of a fixed length. */
export const anyField: fc.Arbitrary<FieldCase> = fc.oneof(
  { arbitrary: plain, weight: 8 },
  boolean,
  selected,
);

/** As many octets as an integer of the record says, around where the length takes three octets too. */
export const tail: fc.Arbitrary<FieldCase> = fc
  .tuple(
    fc.constantFrom<Type>("octetArray", "string"),
    fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 250, maxLength: 260 })),
    fc.constantFrom(1, 2),
  )
  .map(([type, octets, size]) => ({
    type,
    length: VARIABLE_LENGTH,
    stored: [littleEndian(BigInt(octets.length), octets.length > 255 ? 2 : size), octets],
    source: ([length, field]) => ({ kind: "tail", field, length }),
    read: hex,
    expected: () => hex(octets),
  }));
