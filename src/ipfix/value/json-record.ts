// A data record as a line of JSON, by the names of its information elements.
import { addressText, parseAddress } from "../../address-text.ts";
import { exactInteger } from "../../exact-integer.ts";
import type { AbstractDataType } from "../elements/data-type.ts";
import type { Template } from "../template.ts";
import type { DataRecord, Value } from "./data-record.ts";
import { encodeRecord } from "./encode-record.ts";
import { type TimeType, timeCount } from "./encode-time.ts";
import type { BasicList, SubTemplateList, SubTemplateMultiList } from "./list-value.ts";

/**
 * The record as one JSON object without line breaks, its values in the template's order:
 * - integers as numbers, beyond 2^53 as strings; floats as numbers, "NaN", "Infinity", "-Infinity";
 * - times as integers: the count of the type's unit (seconds, milli-, micro-, nanoseconds) since 1970;
 * - octetArray as hexadecimal digits; addresses as text (RFC 5952);
 * - basicList as { semantic, element, values }, subTemplateList as { semantic, templateId, records },
 *   subTemplateMultiList as { semantic, lists }, of objects { templateId, records };
 * - an element that the template has several times as an array.
 *
 * Throws VALUE_INVALID for a record that could not be sent as IPFIX either.
 */
export function jsonRecord(template: Template, record: DataRecord): string {
  encodeRecord(template, record);
  return JSON.stringify(recordObject(template, record));
}

/** `record` fits the template. */
function recordObject(template: Template, record: DataRecord): object {
  const types = new Map(template.fields.map(({ element }) => [element.name, element.type]));
  return Object.fromEntries(
    Array.from(types, ([name, type]) => {
      const value = record[name]!;
      return [name, isSeveral(value) ? value.map(shown(type)) : shown(type)(value)];
    }),
  );
}

function isSeveral(value: Value | readonly Value[]): value is readonly Value[] {
  return Array.isArray(value);
}

function shown(type: AbstractDataType): (value: Value) => unknown {
  return BY_TYPE[type];
}

const integer = (value: Value): unknown => exactInteger(BigInt(value as number | bigint));
const asItIs = (value: Value): unknown => value;
const float = (value: Value): unknown => (Number.isFinite(value) ? value : String(value));

const BY_TYPE: Readonly<Record<AbstractDataType, (value: Value) => unknown>> = {
  octetArray: (value) => hexadecimal(value as Uint8Array),
  unsigned8: integer,
  unsigned16: integer,
  unsigned32: integer,
  unsigned64: integer,
  unsigned256: integer,
  signed8: integer,
  signed16: integer,
  signed32: integer,
  signed64: integer,
  float32: float,
  float64: float,
  boolean: asItIs,
  macAddress: (value) => macText(value as string | Uint8Array),
  string: asItIs,
  dateTimeSeconds: time("dateTimeSeconds"),
  dateTimeMilliseconds: time("dateTimeMilliseconds"),
  dateTimeMicroseconds: time("dateTimeMicroseconds"),
  dateTimeNanoseconds: time("dateTimeNanoseconds"),
  ipv4Address: (value) => canonical(value as string | Uint8Array),
  ipv6Address: (value) => canonical(value as string | Uint8Array),
  basicList: (value) => {
    const { semantic = "undefined", element, values } = value as BasicList;
    return { semantic, element: element.name, values: values.map(shown(element.type)) };
  },
  subTemplateList: (value) => {
    const { semantic = "undefined", ...list } = value as SubTemplateList;
    return { semantic, ...recordsObject(list) };
  },
  subTemplateMultiList: (value) => {
    const { semantic = "undefined", lists } = value as SubTemplateMultiList;
    return { semantic, lists: lists.map(recordsObject) };
  },
};

function recordsObject(list: Pick<SubTemplateList, "template" | "records">): object {
  const { template, records } = list;
  return {
    templateId: template.id,
    records: records.map((record) => recordObject(template, record)),
  };
}

function time(type: TimeType): (value: Value) => unknown {
  return (value) => exactInteger(timeCount(value, type));
}

function hexadecimal(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString("hex");
}

function macText(value: string | Uint8Array): string {
  if (typeof value === "string") return value.toLowerCase().replaceAll("-", ":");
  return hexadecimal(value).replace(/..(?!$)/g, "$&:");
}

/** `value` fits one of the types of addresses. */
function canonical(value: string | Uint8Array): string {
  if (typeof value !== "string") return addressText(value);
  return addressText(parseAddress(value)!);
}
