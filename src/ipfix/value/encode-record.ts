// A data record from JavaScript values (RFC 7011 section 3.4.3).
import type { InformationElement } from "../elements/information-element.ts";
import type { Template } from "../template.ts";
import type { DataRecord, Value } from "./data-record.ts";
import { encodeFields } from "./encode-fields.ts";
import { encodeValue } from "./encode-value.ts";
import { OctetWriter } from "./octet-writer.ts";
import { within } from "./value-error.ts";

/**
 * The octets of a data record, fields of variable length included, as they stand in a set. Throws
 * VALUE_INVALID, naming template and element, when a value is missing, is none of the template's,
 * is not of the element's type, or does not fit the field: nothing is cut off or rounded but floats
 * and the parts of a Date that are finer than the element's unit. So does a record that is longer
 * than a message.
 */
export function encodeRecord(template: Template, record: DataRecord): Uint8Array {
  const writer = new OctetWriter();
  within(
    () => `template ${template.id}`,
    () => encodeFields(writer, template, record, 0),
  );
  return writer.octets.slice();
}

/**
 * Checks one value of an element in a field of `length` octets. Throws VALUE_INVALID, whose message
 * says why alone.
 */
export function checkValue(element: InformationElement, length: number, value: Value): void {
  encodeValue(new OctetWriter(), element, length, value, 0);
}
