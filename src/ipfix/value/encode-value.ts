// One value of any type, as its field on the wire (RFC 7011 section 6).
import type { AbstractDataType } from "../elements/data-type.ts";
import type { InformationElement } from "../elements/information-element.ts";
import {
  encodeBasicList,
  encodeSubTemplateList,
  encodeSubTemplateMultiList,
} from "./encode-list.ts";
import { encodeBoolean, encodeFloat, encodeInteger } from "./encode-number.ts";
import {
  encodeIPv4Address,
  encodeIPv6Address,
  encodeMacAddress,
  encodeOctets,
  encodeString,
} from "./encode-octets.ts";
import { encodeTime } from "./encode-time.ts";
import type { OctetWriter } from "./octet-writer.ts";

/** Writes a value in `length` octets, or with its own length where that is VARIABLE_LENGTH. */
type Encode = (writer: OctetWriter, value: unknown, length: number, depth: number) => void;

const unsigned: Encode = (writer, value, length) => encodeInteger(writer, value, length, false);
const signed: Encode = (writer, value, length) => encodeInteger(writer, value, length, true);

const BY_TYPE: Readonly<Record<AbstractDataType, Encode>> = {
  octetArray: encodeOctets,
  unsigned8: unsigned,
  unsigned16: unsigned,
  unsigned32: unsigned,
  unsigned64: unsigned,
  unsigned256: unsigned,
  signed8: signed,
  signed16: signed,
  signed32: signed,
  signed64: signed,
  float32: encodeFloat,
  float64: encodeFloat,
  boolean: encodeBoolean,
  macAddress: encodeMacAddress,
  string: encodeString,
  dateTimeSeconds: (writer, value) => encodeTime(writer, value, "dateTimeSeconds"),
  dateTimeMilliseconds: (writer, value) => encodeTime(writer, value, "dateTimeMilliseconds"),
  dateTimeMicroseconds: (writer, value) => encodeTime(writer, value, "dateTimeMicroseconds"),
  dateTimeNanoseconds: (writer, value) => encodeTime(writer, value, "dateTimeNanoseconds"),
  ipv4Address: encodeIPv4Address,
  ipv6Address: encodeIPv6Address,
  basicList: encodeBasicList,
  subTemplateList: encodeSubTemplateList,
  subTemplateMultiList: encodeSubTemplateMultiList,
};

/**
 * Writes a value of an element; `depth` is how many lists it lies in. Throws VALUE_INVALID when it
 * is not of the element's type or does not fit.
 */
export function encodeValue(
  writer: OctetWriter,
  { type }: InformationElement,
  length: number,
  value: unknown,
  depth: number,
): void {
  BY_TYPE[type](writer, value, length, depth);
}
