// Where the value of a template field comes from.

/**
 * The source of a field's value. Integers of a record are little-endian, of 1, 2, 4 or 8 octets;
 * on the wire everything is big-endian. An integer that does not fit a reduced length is sent as
 * the nearest one that does.
 */
export type FieldSource =
  /** Octets that are in network order already: copied from the start of `field`, or from `at`. */
  | { readonly kind: "octets"; readonly field: string; readonly at?: number }
  /** An unsigned integer; also the bits of a float of the element's own length. */
  | { readonly kind: "unsigned"; readonly field: string }
  /** An unsigned integer in network order, of 1 to 8 octets. */
  | { readonly kind: "network"; readonly field: string }
  /** A signed integer (two's complement). */
  | { readonly kind: "signed"; readonly field: string }
  /** A double or single float, for float64 and float32 elements of any allowed length. */
  | { readonly kind: "float"; readonly field: string }
  /**
   * A time in nanoseconds (unsigned, 8 octets) of any clock: `clockOffset` of the context is added
   * to make it Unix time, and the element's type says what is sent: seconds or milliseconds
   * (rounded down), or an NTP timestamp for micro- and nanoseconds (RFC 7011 section 6.1).
   */
  | { readonly kind: "time"; readonly field: string }
  /** (integer of at most 4 octets >>> shift) & mask */
  | {
      readonly kind: "bits";
      readonly field: string;
      readonly shift: number;
      readonly mask: number;
    }
  /**
   * As many octets as the integer `length` of the record says (of at most 2 octets), from the start
   * of `field` on, also beyond the layout's end: records may differ in length. Only for the last
   * field of a template, whose length then is variable (RFC 7011 section 7). What a message of
   * 65507 octets has no room for is cut off.
   */
  | { readonly kind: "tail"; readonly field: string; readonly length: string }
  /** The same number, 0 ≤ value < 2^32, in every record. */
  | { readonly kind: "constant"; readonly value: number }
  /** A number that is the same in every record of one call of `export`, by its name in the context. */
  | { readonly kind: "context"; readonly name: string }
  /** `whenSet` where (integer of at most 4 octets & mask) is not 0, `whenClear` where it is. */
  | {
      readonly kind: "select";
      readonly field: string;
      readonly mask: number;
      readonly whenSet: FieldSource;
      readonly whenClear: FieldSource;
    };

/** Values that hold for a whole call of `export`: unsigned, of at most 8 octets. */
export interface ExportContext {
  /** Unix time minus the records' clock, in nanoseconds, for the sources of kind "time". Default: 0. */
  readonly clockOffset?: bigint;
  /** By the names that the templates' "context" sources use. */
  readonly values?: Readonly<Record<string, number | bigint>>;
}
