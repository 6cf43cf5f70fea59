// A data record as JavaScript values, by the names of its information elements.
import type { ListValue } from "./list-value.ts";

/**
 * The value of a field:
 * - integers: number (a safe integer) or bigint; floats: number; boolean: boolean; string: string;
 * - octetArray: Uint8Array;
 * - addresses: text as people write it ("2001:db8::1", "192.0.2.1", "02:00:5e:10:00:01"), or octets;
 * - times: Date, or the count of the type's unit (seconds, milli-, micro-, nanoseconds) since 1970,
 *   as number or bigint; of a Date what is finer than the unit is cut off;
 * - lists (RFC 6313): BasicList, SubTemplateList, SubTemplateMultiList.
 */
export type Value = number | bigint | boolean | string | Uint8Array | Date | ListValue;

/** Values by element name. An element that a template has several times takes an array of values. */
export type DataRecord = Readonly<Record<string, Value | readonly Value[]>>;
