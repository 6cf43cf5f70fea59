// A data record as JavaScript values, by the names of its information elements.

/**
 * The value of a field:
 * - integers: number or bigint; floats: number; boolean: boolean; string: string;
 * - octetArray: Uint8Array;
 * - addresses: text as people write it ("2001:db8::1", "192.0.2.1", "02:00:5e:10:00:01");
 * - times: Date, or the count of the type's unit (seconds, milli-, micro-, nanoseconds) since 1970;
 * - lists (RFC 6313): ListValue.
 */
export type Value = number | bigint | boolean | string | Uint8Array | Date;

/** Values by element name. An element that a template has several times takes an array of values. */
export type DataRecord = Readonly<Record<string, Value | readonly Value[]>>;
