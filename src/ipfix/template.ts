// A template: which information elements a record consists of (RFC 7011 section 3.4.1 and 3.4.2).
import { counted } from "../counted.ts";
import { IoamctlError } from "../errors.ts";
import { VARIABLE_LENGTH } from "./elements/data-type.ts";
import type { InformationElement } from "./elements/information-element.ts";
import type { FieldSource } from "./field-source.ts";
import { fieldSpecifier, isElement, isFieldLength } from "./field-specifier.ts";

/** One field of a template. */
export interface TemplateField {
  readonly element: InformationElement;
  /**
   * Octets on the wire; default: the element's length. Fewer is reduced-size encoding. A field
   * whose source is a "tail" has none: each record carries its own.
   */
  readonly length?: number;
  /** Where compiled encoders take the value from; records given as JavaScript values need none. */
  readonly source?: FieldSource;
}

/** A field with everything that may be left out filled in, but for its source. */
export type CompleteField = TemplateField & { readonly length: number };

/** Octets of a record, or of a template record, in the longest message: beside its header and a set's. */
export const LONGEST_RECORD: number = 65535 - 16 - 4;

/** A template of data records, or an options template: one with scope fields. */
export class Template {
  /** 256–65535, unique in a transport session and observation domain. */
  readonly id: number;
  readonly fields: readonly CompleteField[];
  /** How many of the fields, from the first on, are the scope; 0: not an options template. */
  readonly scopeFieldCount: number;
  /** Octets of a data record; of one with fields that vary in length, with these empty. */
  readonly recordLength: number;
  /** Whether the length of any field varies. */
  readonly isVariable: boolean;
  /** The template record as it stands in a set of templates or options templates, big-endian. */
  readonly record: Uint8Array;

  /**
   * Throws TEMPLATE_INVALID for an id below 256, for no fields at all, for a length that the
   * element's type does not allow (RFC 7011 section 6.2), for more scope fields than fields, for more
   * than a message has room for, and for a field with a source whose length varies, unless it is the
   * last, a "tail".
   */
  constructor(id: number, fields: readonly TemplateField[], scopeFieldCount = 0) {
    if (!Number.isInteger(id) || id < 256 || id > 65535) {
      throw invalid(id, "its id is not within 256–65535");
    }
    if (fields.length === 0) throw invalid(id, "it has no fields");
    if (
      !(Number.isInteger(scopeFieldCount) && scopeFieldCount >= 0) ||
      scopeFieldCount > fields.length
    ) {
      throw invalid(id, `it cannot have ${scopeFieldCount} scope fields`);
    }
    this.id = id;
    this.scopeFieldCount = scopeFieldCount;
    this.fields = fields.map((field, i) => complete(id, field, i === fields.length - 1));
    this.isVariable = this.fields.some(({ length }) => length === VARIABLE_LENGTH);
    this.recordLength = this.fields.reduce(
      (sum, { length }) => sum + (length === VARIABLE_LENGTH ? 1 : length),
      0,
    );
    this.record = this.#encode();
    if (this.recordLength > LONGEST_RECORD || this.record.length > LONGEST_RECORD) {
      throw invalid(
        id,
        `it or its records need more than the ${LONGEST_RECORD} octets of a message`,
      );
    }
  }

  /**
   * The record that takes the template back, as it stands in a set of templates or options templates
   * (RFC 7011 section 8.1): not over UDP and DTLS.
   */
  get withdrawal(): Uint8Array {
    return Uint8Array.of(this.id >>> 8, this.id & 0xff, 0, 0);
  }

  #encode(): Uint8Array {
    const header = this.scopeFieldCount === 0 ? 4 : 6;
    const specifiers = this.fields.map(({ element, length }) => fieldSpecifier(element, length));
    const octets = specifiers.reduce((sum, { length }) => sum + length, header);
    const record = new Uint8Array(octets);
    const view = new DataView(record.buffer);
    view.setUint16(0, this.id);
    view.setUint16(2, this.fields.length);
    if (this.scopeFieldCount > 0) view.setUint16(4, this.scopeFieldCount);
    let at = header;
    for (const specifier of specifiers) {
      record.set(specifier, at);
      at += specifier.length;
    }
    return record;
  }
}

function complete(id: number, field: TemplateField, isLast: boolean): CompleteField {
  const { element, source } = field;
  if (!isElement(element)) {
    throw invalid(id, "one of its fields has no element, or one whose number or type is not valid");
  }
  const { length = element.length } = field;
  if (source?.kind === "tail") {
    if (isLast && isOctets(element) && length === VARIABLE_LENGTH) {
      return { element, length, source };
    }
    throw invalid(id, `${element.name} is a tail: only octets of the last field can be`);
  }
  if (length === VARIABLE_LENGTH && source !== undefined) {
    throw invalid(id, `${element.name} has no fixed length: give its field a length`);
  }
  if (!isFieldLength(element, length)) {
    throw invalid(
      id,
      `${element.name} (${element.type}) cannot be ${counted(length, "octet")} long`,
    );
  }
  return { element, length, ...(source !== undefined && { source }) };
}

function isOctets({ type }: InformationElement): boolean {
  return type === "octetArray" || type === "string";
}

function invalid(id: number, why: string): IoamctlError {
  return new IoamctlError("TEMPLATE_INVALID", `template ${id} is not valid: ${why}`);
}
