// The value of a field by its abstract data type, from its octets: written from RFC 7011 and RFC 6313 alone.
import {
  decodeField,
  decodeOctets,
  decodeRecord,
  floatValue,
  hex,
  signedValue,
  unsignedValue,
  type WireTemplate,
} from "./decoder.ts";

/** A list as it was sent. */
export type DecodedList =
  | { semantic: number; element: string; length: number; values: DecodedValue[] }
  | { semantic: number; lists: { template: number; records: DecodedValue[][] }[] };

/**
 * Integers of any length and times as bigint (the count of the type's unit since 1970), floats as
 * number, octets and addresses as hexadecimal digits.
 */
export type DecodedValue = bigint | number | boolean | string | DecodedList;

/** What has to be known beside the octets. */
export interface Knowledge {
  /** The abstract data type of an element. */
  typeOf(enterprise: number, id: number): string;
  /** A template that was sent before. */
  template(id: number): WireTemplate;
}

/** Throws on octets that no value of the type has. */
export function decodedValue(type: string, octets: Uint8Array, known: Knowledge): DecodedValue {
  switch (type) {
    case "octetArray":
    case "macAddress":
    case "ipv4Address":
    case "ipv6Address":
      return hex(octets);
    case "string":
      // What is behind the text in a field of fixed length is zero.
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
        .decode(octets)
        .replace(/\0+$/, "");
    case "boolean":
      return decodedBoolean(octets);
    case "float32":
    case "float64":
      return floatValue(octets);
    case "dateTimeSeconds":
    case "dateTimeMilliseconds":
      return unsignedValue(octets);
    case "dateTimeMicroseconds":
      return ntpCount(octets, 1_000_000n, 11n);
    case "dateTimeNanoseconds":
      return ntpCount(octets, 1_000_000_000n, 0n);
    case "basicList":
      return basicList(octets, known);
    case "subTemplateList":
      return subTemplateList(octets, known);
    case "subTemplateMultiList":
      return subTemplateMultiList(octets, known);
    default:
      if (/^unsigned(8|16|32|64|256)$/.test(type)) return unsignedValue(octets);
      if (/^signed(8|16|32|64)$/.test(type)) return signedValue(octets);
      throw new Error(`no type is called ${type}`);
  }
}

/** The values of a record. */
export function decodedRecord(
  { fields }: WireTemplate,
  values: readonly Uint8Array[],
  known: Knowledge,
): DecodedValue[] {
  return fields.map(({ enterprise, id }, i) =>
    decodedValue(known.typeOf(enterprise, id), values[i]!, known),
  );
}

function decodedBoolean(octets: Uint8Array): boolean {
  if (octets.length !== 1 || (octets[0] !== 1 && octets[0] !== 2)) {
    throw new Error(`${hex(octets)} is neither true nor false`);
  }
  return octets[0] === 1;
}

/**
 * RFC 7011 section 6.1.9 and 6.1.10: seconds since 1900 modulo 2^32, here of the 136 years from 1970
 * on, and a fraction of 2^-32 s, whose lowest bits may have to be zero.
 */
function ntpCount(octets: Uint8Array, perSecond: bigint, zeroBits: bigint): bigint {
  const timestamp = unsignedValue(octets);
  const fraction = timestamp & 0xffff_ffffn;
  if (fraction % (1n << zeroBits) !== 0n) throw new Error("lowest bits of microseconds are set");
  const seconds = BigInt.asUintN(32, (timestamp >> 32n) - 2_208_988_800n);
  return seconds * perSecond + ((fraction * perSecond) >> 32n);
}

/** RFC 6313 section 4.5.1. */
function basicList(octets: Uint8Array, known: Knowledge): DecodedList {
  const view = viewOf(octets);
  const field = decodeField(view, 1);
  const { enterprise, id, length } = field;
  const type = known.typeOf(enterprise, id);
  const values: DecodedValue[] = [];
  let at = enterprise === 0 ? 5 : 9;
  while (at < octets.length) {
    const one = decodeOctets(octets, at, length);
    values.push(decodedValue(type, one.octets, known));
    at = one.end;
  }
  return { semantic: octets[0]!, element: `${enterprise}/${id}`, length, values };
}

/** RFC 6313 section 4.5.2. */
function subTemplateList(octets: Uint8Array, known: Knowledge): DecodedList {
  const template = known.template(viewOf(octets).getUint16(1));
  const records = decodedRecords(template, octets.subarray(3), known);
  return { semantic: octets[0]!, lists: [{ template: template.id, records }] };
}

/** RFC 6313 section 4.5.3: the length of each part counts its own four octets of header. */
function subTemplateMultiList(octets: Uint8Array, known: Knowledge): DecodedList {
  const view = viewOf(octets);
  const lists = [];
  for (let at = 1; at < octets.length; ) {
    const template = known.template(view.getUint16(at));
    const length = view.getUint16(at + 2);
    if (length < 4 || at + length > octets.length) throw new Error("a part leaves its list");
    const records = decodedRecords(template, octets.subarray(at + 4, at + length), known);
    lists.push({ template: template.id, records });
    at += length;
  }
  return { semantic: octets[0]!, lists };
}

function decodedRecords(
  template: WireTemplate,
  content: Uint8Array,
  known: Knowledge,
): DecodedValue[][] {
  const records: DecodedValue[][] = [];
  for (let at = 0; at < content.length; ) {
    const { record, end } = decodeRecord(template, content, at);
    records.push(decodedRecord(template, record.values, known));
    at = end;
  }
  return records;
}

function viewOf(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
}
