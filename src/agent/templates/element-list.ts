// A list of elements as people write it: "octetDeltaCount", or "octetDeltaCount(4)" for fewer octets.
import {
  ElementRegistry,
  type InformationElement,
  ioamElements,
  isLengthAllowed,
  VARIABLE_LENGTH,
} from "../../ipfix/index.ts";
import { nearestName } from "./nearest-name.ts";
import type { ElementChoice, OfferedElement, OfferedField, RecordGroup } from "./record-group.ts";

const FORM =
  "give the name of an element, such as octetDeltaCount, or octetDeltaCount(4) for 4 octets";

/** What is wrong with one entry of a list, or without `at` with the whole. */
export interface ListMistake {
  readonly at?: number;
  readonly message: string;
}

/** The choices of a list, without the entries that are wrong. */
export interface ElementList {
  readonly choices: readonly ElementChoice[];
  readonly mistakes: readonly ListMistake[];
}

let elements: ElementRegistry | undefined;

/** Every element by name; enterprise numbers, which a list does not depend on, as they are by default. */
function registry(): ElementRegistry {
  elements ??= new ElementRegistry(ioamElements());
  return elements;
}

/** Reads a list for the templates of a group. */
export function readElementList(group: RecordGroup, texts: readonly string[]): ElementList {
  const choices: ElementChoice[] = [];
  const mistakes: ListMistake[] = [];
  for (const [at, text] of texts.entries()) {
    const result = readElement(group, text);
    const message =
      typeof result === "string" ? result : wrongPlace(result.offered, choices, at, texts.length);
    if (message !== undefined) mistakes.push({ at, message });
    else if (typeof result !== "string") choices.push(result.choice);
  }
  const has = (kind: number): boolean =>
    choices.some(({ name }) => offeredBy(group, name)?.fields[kind] !== undefined);
  const without = group.kinds.find((_, kind) => !has(kind));
  if (mistakes.length === 0 && without !== undefined) {
    const message = `give an element that every ${group.name} record has: those ${without} would have none`;
    mistakes.push({ message });
  }
  return { choices, mistakes };
}

/** An entry, or what is wrong with it. */
function readElement(
  group: RecordGroup,
  text: string,
): { choice: ElementChoice; offered: OfferedElement } | string {
  const match = /^([A-Za-z]\w*)(?:\((\d{1,5})\))?$/.exec(text.trim());
  if (match === null) return FORM;
  const [, name, digits] = match;
  const offered = offeredBy(group, name!);
  if (offered === undefined) return notOffered(group, name!);
  if (digits === undefined) return { choice: { name: name! }, offered };
  const length = Number(digits);
  const message = wrongLength(offered, length);
  return message ?? { choice: { name: name!, length }, offered };
}

function offeredBy({ elements: all }: RecordGroup, name: string): OfferedElement | undefined {
  return all.find((offered) => offered.name === name);
}

function notOffered({ name: group, elements: all }: RecordGroup, name: string): string {
  const substitute = all.find(({ fields }) => fields.some((field) => field?.name === name));
  if (substitute !== undefined) {
    return `${substitute.name} stands for it, where a record has the one or the other: give that`;
  }
  const see = `docs/ipfix.md lists those that ${group} records have`;
  if ([...registry()].some((element) => element.name === name)) {
    return `${group} records do not have this element: ${see}`;
  }
  const nearest = nearestName(
    name,
    all.map((offered) => offered.name),
  );
  return `no element has this name: ${nearest === undefined ? see : `did you mean ${nearest}?`}`;
}

/** Integers alone can be reduced (RFC 7011 section 6.2), and only if a record's value is at hand. */
function wrongLength(offered: OfferedElement, length: number): string | undefined {
  const fields = offered.fields.filter((field) => field !== undefined);
  const lengths = fields.map((field) => lengthsOf(field, registry().get(field.name)));
  const least = Math.max(...lengths.map(([from]) => from));
  const most = Math.min(...lengths.map(([, to]) => to));
  if (length >= least && length <= most) return undefined;
  if (least >= most) return "its length is fixed: give it without one";
  return `give it a length from ${least} to ${most}, or none`;
}

function lengthsOf(
  { source, length }: OfferedField,
  element: InformationElement,
): [number, number] {
  const usual = length ?? element.length;
  if (usual === VARIABLE_LENGTH || source.kind === "octets") return [usual, usual];
  // A value of the context has to fit: it is refused, not reduced.
  let least = source.kind === "context" ? usual : 1;
  while (least < usual && !isLengthAllowed(element.type, least)) least++;
  let most = usual;
  while (isLengthAllowed(element.type, most + 1)) most++;
  return [least, most];
}

function wrongPlace(
  { name, fields }: OfferedElement,
  before: readonly ElementChoice[],
  at: number,
  count: number,
): string | undefined {
  if (before.some((choice) => choice.name === name)) return "is listed already: give it once";
  const varies = fields.some((field) => field?.length === VARIABLE_LENGTH);
  if (varies && at !== count - 1) return "its length varies from record to record: give it last";
  return undefined;
}
