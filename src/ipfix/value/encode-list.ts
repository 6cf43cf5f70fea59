// Structured data: lists of values and of records (RFC 6313 section 4.5), always of variable length.
import { counted } from "../../counted.ts";
import { fieldSpecifier, isElement, isFieldLength } from "../field-specifier.ts";
import { Template } from "../template.ts";
import { encodeFields } from "./encode-fields.ts";
import { encodeValue } from "./encode-value.ts";
import {
  type BasicList,
  LIST_SEMANTICS,
  type SubTemplateList,
  type SubTemplateMultiList,
} from "./list-value.ts";
import { OctetWriter } from "./octet-writer.ts";
import { invalid, unfit, within } from "./value-error.ts";

/** Lists in lists, at most: a list that contains itself has no end. */
const DEEPEST = 16;

/** Octets of the template id and the length before the records of one template in a multi-list. */
const MULTI_LIST_HEADER = 4;

/** Writes a list of values of one element. Throws VALUE_INVALID. */
export function encodeBasicList(
  writer: OctetWriter,
  value: unknown,
  _length: number,
  depth: number,
): void {
  const rule = "give { element, values } with an information element and an array of values";
  const list = objectOf<BasicList>(value, rule);
  const { element } = list;
  if (!isElement(element) || !Array.isArray(list.values)) throw unfit(value, rule);
  const { length = element.length, values } = list;
  if (!isFieldLength(element, length)) {
    throw invalid(
      `${element.name} (${element.type}) cannot be ${counted(length, "octet")} long in a list`,
    );
  }
  const content = start(list.semantic, depth);
  content.copy(fieldSpecifier(element, length));
  for (const [i, one] of values.entries()) {
    within(
      () => `${element.name} ${i}`,
      () => encodeValue(content, element, length, one, depth + 1),
    );
  }
  writer.variable(content.octets);
}

/** Writes a list of records of one template. Throws VALUE_INVALID. */
export function encodeSubTemplateList(
  writer: OctetWriter,
  value: unknown,
  _length: number,
  depth: number,
): void {
  const rule = "give { template, records } with a Template and an array of records";
  const list = objectOf<SubTemplateList>(value, rule);
  const { semantic } = list;
  if (!isRecords(list)) throw unfit(value, rule);
  const content = start(semantic, depth);
  content.integer(list.template.id, 2);
  encodeRecords(content, list.template, list.records, depth);
  writer.variable(content.octets);
}

/** Writes a list of records of several templates. Throws VALUE_INVALID. */
export function encodeSubTemplateMultiList(
  writer: OctetWriter,
  value: unknown,
  _length: number,
  depth: number,
): void {
  const rule = "give { lists } with an array of { template, records }";
  const list = objectOf<SubTemplateMultiList>(value, rule);
  if (!Array.isArray(list.lists)) throw unfit(value, rule);
  const content = start(list.semantic, depth);
  for (const part of list.lists) {
    if (!isRecords(part)) throw unfit(part, rule);
    const records = new OctetWriter();
    encodeRecords(records, part.template, part.records, depth);
    content.integer(part.template.id, 2);
    content.integer(MULTI_LIST_HEADER + records.length, 2);
    content.copy(records.octets);
  }
  writer.variable(content.octets);
}

function encodeRecords(
  writer: OctetWriter,
  template: Template,
  records: SubTemplateList["records"],
  depth: number,
): void {
  for (const [i, record] of records.entries()) {
    within(
      () => `record ${i} of template ${template.id}`,
      () => encodeFields(writer, template, record, depth + 1),
    );
  }
}

/** The beginning of a list that lies in `depth` others: its semantic. */
function start(semantic: unknown = "undefined", depth: number): OctetWriter {
  if (depth >= DEEPEST) throw invalid(`more than ${DEEPEST} lists lie in each other`);
  if (typeof semantic !== "string" || !Object.hasOwn(LIST_SEMANTICS, semantic)) {
    throw unfit(semantic, `give as semantic one of ${Object.keys(LIST_SEMANTICS).join(", ")}`);
  }
  const content = new OctetWriter();
  content.integer(LIST_SEMANTICS[semantic as keyof typeof LIST_SEMANTICS], 1);
  return content;
}

/** The value as an object of which nothing is known but what it should be. */
function objectOf<T>(value: unknown, rule: string): Partial<T> {
  if (typeof value !== "object" || value === null) throw unfit(value, rule);
  return value as Partial<T>;
}

function isRecords(value: unknown): value is Pick<SubTemplateList, "template" | "records"> {
  if (typeof value !== "object" || value === null) return false;
  const { template, records } = value as Partial<SubTemplateList>;
  return template instanceof Template && Array.isArray(records);
}
