// An element as a file of records names it: "octetDeltaCount", "octetDeltaCount(4)", "interfaceName(variable)".

import { nearestName } from "../agent/templates/nearest-name.ts";
import { counted } from "../counted.ts";
import {
  type ElementRegistry,
  type InformationElement,
  isLengthAllowed,
  NATURAL_LENGTH,
  VARIABLE_LENGTH,
} from "../ipfix/index.ts";

const FORM =
  "give the name of an element, such as octetDeltaCount, or octetDeltaCount(4) for 4 octets";

/** An element and the length of its field. */
export interface ElementField {
  readonly element: InformationElement;
  readonly length: number;
}

/** The element and the length that a text names, or what is wrong with it. */
export function readElementField(text: string, registry: ElementRegistry): ElementField | string {
  const match = /^([A-Za-z]\w*)(?:\((\d{1,5}|variable)\))?$/.exec(text.trim());
  if (match === null) return FORM;
  const [, name, given] = match;
  const element = elementOf(name!, registry);
  if (typeof element === "string") return element;
  const length = lengthOf(given, element);
  return typeof length === "string" ? length : { element, length };
}

function elementOf(name: string, registry: ElementRegistry): InformationElement | string {
  const all = [...registry];
  const element = all.find((one) => one.name === name);
  if (element !== undefined) return element;
  const nearest = nearestName(
    name,
    all.map((one) => one.name),
  );
  const hint = nearest === undefined ? "see IANA's IPFIX registry" : `did you mean ${nearest}?`;
  return `no element has this name: ${hint}`;
}

function lengthOf(given: string | undefined, element: InformationElement): number | string {
  if (given === undefined) return element.length;
  const length = given === "variable" ? VARIABLE_LENGTH : Number(given);
  const varies = NATURAL_LENGTH[element.type] === VARIABLE_LENGTH;
  if (length === VARIABLE_LENGTH ? varies : isLengthAllowed(element.type, length)) return length;
  const what = given === "variable" ? "of variable length" : `${counted(length, "octet")} long`;
  return `${element.type} cannot be ${what}: give it without a length`;
}
