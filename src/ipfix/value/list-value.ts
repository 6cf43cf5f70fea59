// Lists as values of a field: the structured data of RFC 6313.
import type { InformationElement } from "../elements/information-element.ts";
import type { Template } from "../template.ts";
import type { DataRecord, Value } from "./data-record.ts";

/** What the elements of a list have to do with each other, and its number (RFC 6313 section 4.4). */
export const LIST_SEMANTICS = {
  noneOf: 0,
  exactlyOneOf: 1,
  oneOrMoreOf: 2,
  allOf: 3,
  ordered: 4,
  undefined: 255,
} as const;

/** Structured data type semantics. */
export type ListSemantic = keyof typeof LIST_SEMANTICS;

/** Values of one information element: a field of type basicList. */
export interface BasicList {
  readonly element: InformationElement;
  /** Octets of each value, as in a template; default: the element's length. */
  readonly length?: number;
  /** Default: undefined. */
  readonly semantic?: ListSemantic;
  readonly values: readonly Value[];
}

/** Records of one template: a field of type subTemplateList. */
export interface SubTemplateList {
  /** It must have been sent before the records that have the list. */
  readonly template: Template;
  /** Default: undefined. */
  readonly semantic?: ListSemantic;
  readonly records: readonly DataRecord[];
}

/** Records of several templates: a field of type subTemplateMultiList. */
export interface SubTemplateMultiList {
  /** Default: undefined. */
  readonly semantic?: ListSemantic;
  /** Records that stand together are of the same template; a template may come again. */
  readonly lists: readonly Pick<SubTemplateList, "template" | "records">[];
}

/** A list of any type. */
export type ListValue = BasicList | SubTemplateList | SubTemplateMultiList;
