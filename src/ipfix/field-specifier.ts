// A field specifier: element and length, as they stand in templates and basic lists (RFC 7011 section 3.2).
import { isLengthAllowed, NATURAL_LENGTH, VARIABLE_LENGTH } from "./elements/data-type.ts";
import type { InformationElement } from "./elements/information-element.ts";

const ENTERPRISE_BIT = 0x8000;

/** Whether an element can be named on the wire: its id has 15 bits, its enterprise number 32. */
export function isElement(value: unknown): value is InformationElement {
  if (typeof value !== "object" || value === null) return false;
  const { name, id, enterprise, type } = value as Partial<InformationElement>;
  return (
    typeof name === "string" &&
    typeof type === "string" &&
    Object.hasOwn(NATURAL_LENGTH, type) &&
    isUnsigned(id, 0x7fff) &&
    isUnsigned(enterprise, 0xffff_ffff)
  );
}

function isUnsigned(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
}

/** Whether a field of that element may have that length: 65535 where each record tells its own. */
export function isFieldLength({ type }: InformationElement, length: number): boolean {
  return length === VARIABLE_LENGTH
    ? NATURAL_LENGTH[type] === VARIABLE_LENGTH
    : isLengthAllowed(type, length);
}

/** The octets of a field specifier. */
export function fieldSpecifier(element: InformationElement, length: number): Uint8Array {
  const { id, enterprise } = element;
  const view = new DataView(new ArrayBuffer(enterprise === 0 ? 4 : 8));
  view.setUint16(0, enterprise === 0 ? id : id | ENTERPRISE_BIT);
  view.setUint16(2, length);
  if (enterprise !== 0) view.setUint32(4, enterprise);
  return new Uint8Array(view.buffer);
}
