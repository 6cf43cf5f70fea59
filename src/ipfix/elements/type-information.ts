// Type information: options records that tell a collector what the elements of enterprises are (RFC 5610).
import type { OptionsRecords } from "../session/options-records.ts";
import { Template, type TemplateField } from "../template.ts";
import type { DataRecord } from "../value/data-record.ts";
import { type AbstractDataType, NATURAL_LENGTH } from "./data-type.ts";
import { type InformationElement, SEMANTICS, type Semantics } from "./information-element.ts";
import { ElementRegistry } from "./registry.ts";

/** What of which elements is told, and how. */
export interface TypeInformationOptions {
  /** Those of enterprises are told; IANA's, which every collector can know, are left out. */
  readonly elements: Iterable<InformationElement>;
  /** Id of the options template. */
  readonly templateId: number;
  readonly observationDomainId: number;
  /** Seconds after which the records are sent again. */
  readonly period: number;
}

/** The fields in the order of RFC 5610 section 3.9, of which the first two are the scope. */
const FIELDS = [
  "privateEnterpriseNumber",
  "informationElementId",
  "informationElementDataType",
  "informationElementSemantics",
  "informationElementUnits",
  "informationElementRangeBegin",
  "informationElementRangeEnd",
  "informationElementName",
  "informationElementDescription",
];

const SCOPE_FIELDS = 2;

/** What fills records up. */
const PADDING = "paddingOctets";

/** Of the fields of fixed length, and at most of the lengths of the two others. */
const FIXED_OCTETS = 26;
const LENGTH_FIELDS = 6;

/** IANA's numbers of the data types (registry "IPFIX Information Element Data Types"). */
const TYPE_NUMBERS: Readonly<Record<AbstractDataType, number>> = {
  octetArray: 0,
  unsigned8: 1,
  unsigned16: 2,
  unsigned32: 3,
  unsigned64: 4,
  signed8: 5,
  signed16: 6,
  signed32: 7,
  signed64: 8,
  float32: 9,
  float64: 10,
  boolean: 11,
  macAddress: 12,
  string: 13,
  dateTimeSeconds: 14,
  dateTimeMilliseconds: 15,
  dateTimeMicroseconds: 16,
  dateTimeNanoseconds: 17,
  ipv4Address: 18,
  ipv6Address: 19,
  basicList: 20,
  subTemplateList: 21,
  subTemplateMultiList: 22,
  unsigned256: 23,
};

/** The units in the order of their numbers (registry "IPFIX Information Element Units"). */
const UNITS = [
  "none",
  "bits",
  "octets",
  "packets",
  "flows",
  "seconds",
  "milliseconds",
  "microseconds",
  "nanoseconds",
  "4-octet words",
  "messages",
  "hops",
  "entries",
  "frames",
  "ports",
  "inferred",
];

/** The options template and a record for each element of an enterprise, to go before all other templates. */
export function typeInformation(options: TypeInformationOptions): OptionsRecords {
  const { elements, templateId, observationDomainId, period } = options;
  const registry = new ElementRegistry();
  const fields: TemplateField[] = FIELDS.map((name) => ({ element: registry.get(name) }));
  const known = new Map<string, DataRecord>();
  for (const element of elements) {
    const { id, enterprise } = element;
    if (enterprise !== 0) known.set(`${enterprise}/${id}`, recordOf(element));
  }
  const padding = paddingFor(known.values());
  if (padding > 0) {
    fields.push({ element: registry.get(PADDING), length: padding });
    const zeros = new Uint8Array(padding);
    for (const [number, record] of known) known.set(number, { ...record, [PADDING]: zeros });
  }
  return {
    template: new Template(templateId, fields, SCOPE_FIELDS),
    observationDomainId,
    period,
    first: true,
    records: () => known.values(),
  };
}

/**
 * Octets that make every record shorter than two of those that pmacct (1.7) takes them for: it counts
 * options records of variable length by the template alone, each such field as -1 octet, and would
 * report a gap in the sequence numbers after every message.
 */
function paddingFor(records: Iterable<DataRecord>): number {
  let longest = 0;
  for (const { informationElementName: name, informationElementDescription: text } of records) {
    const octets = Buffer.byteLength(name as string) + Buffer.byteLength(text as string);
    longest = Math.max(longest, octets);
  }
  return Math.max(0, longest + LENGTH_FIELDS - FIXED_OCTETS + 5);
}

function recordOf(element: InformationElement): DataRecord {
  const { name, id, enterprise, type, semantics, units, description } = element;
  return {
    privateEnterpriseNumber: enterprise,
    informationElementId: id,
    informationElementDataType: TYPE_NUMBERS[type],
    informationElementSemantics: SEMANTICS.indexOf(suits(type, semantics) ? semantics : "default"),
    // Units that IANA has no number for cannot be told.
    informationElementUnits: Math.max(0, UNITS.indexOf(units ?? "none")),
    // Both 0: the type's whole range.
    informationElementRangeBegin: 0,
    informationElementRangeEnd: rangeEnd(element),
    informationElementName: withoutNull(name),
    informationElementDescription: withoutNull(description ?? ""),
  };
}

/** Whether a type can have that semantics (RFC 5610 section 3.10; RFC 6313 section 4.2 for lists). */
function suits(type: AbstractDataType, semantics: Semantics): boolean {
  if (semantics === "default") return true;
  if (type.endsWith("List")) return semantics === "list";
  if (type.startsWith("unsigned")) return semantics !== "list";
  if (type.startsWith("signed")) return semantics !== "list" && semantics !== "flags";
  if (!type.startsWith("float")) return false;
  return semantics !== "list" && semantics !== "flags" && semantics !== "identifier";
}

/** Collectors may take U+0000 for the end of a text (RFC 5610 section 4). */
function withoutNull(text: string): string {
  return text.replaceAll("\0", "");
}

/** The largest value of an element that never has all the octets of its type. */
function rangeEnd({ type, length }: InformationElement): bigint {
  const reduced = type.startsWith("unsigned") && length < NATURAL_LENGTH[type] && length <= 8;
  return reduced ? (1n << BigInt(8 * length)) - 1n : 0n;
}
