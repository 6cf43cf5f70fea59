// Turns the sources of a template's fields into local variables of the generated encoder.
import { counted } from "../../counted.ts";
import { IoamctlError } from "../../errors.ts";
import type { AbstractDataType } from "../elements/data-type.ts";
import type { FieldSource } from "../field-source.ts";
import type { LayoutField, RecordLayout } from "../record-layout.ts";
import { FIRST_VALUE } from "./context-array.ts";
import { Definitions, type Halves } from "./definitions.ts";
import { narrowSigned, narrowUnsigned } from "./narrow.ts";
import { compileTime } from "./time.ts";
import { assemble, bigEndianOctets, constantOctets, type WireOctet } from "./wire-octet.ts";

/** Octets whose number each record tells. */
export interface Tail {
  /** Where they begin in a record. */
  readonly offset: number;
  /** The integer that says how many they are. */
  readonly length: LayoutField;
}

/** Compiles sources one after another; what they have in common is loaded and computed once. */
export class SourceCompiler {
  readonly definitions: Definitions = new Definitions();
  /** The context's values in the order of their slots, with the octets that each must fit into. */
  readonly contextValues: Map<string, number> = new Map();
  readonly #layout: RecordLayout;

  constructor(layout: RecordLayout) {
    this.#layout = layout;
  }

  /** The octets of a field on the wire. Throws SOURCE_INVALID when the source cannot give them. */
  octets(source: FieldSource, type: AbstractDataType, length: number): WireOctet[] {
    switch (source.kind) {
      case "octets":
        return this.#copied(this.#field(source.field), source.at ?? 0, length);
      case "unsigned":
        return this.#unsigned(this.#field(source.field), length);
      case "network":
        return this.#network(this.#field(source.field), length);
      case "signed":
        return this.#signed(this.#field(source.field), length);
      case "float":
        return this.#float(this.#field(source.field), length);
      case "time":
        return this.#time(this.#field(source.field), type, length);
      case "bits":
        return this.#masked(
          this.#bits(source.field, source.shift, source.mask),
          source.mask,
          length,
        );
      case "constant":
        return fixed(source.value, length);
      case "context":
        return this.#contextValue(source.name, length);
      case "select":
        return this.#select(source, type, length);
      case "tail":
        throw invalid("only a whole field can be a tail");
    }
  }

  /** Where a tail and its length are in a record. Throws SOURCE_INVALID. */
  tail(source: Extract<FieldSource, { kind: "tail" }>): Tail {
    const length = this.#field(source.length);
    if (length.size > 2) throw invalid("the length of a tail has 1 or 2 octets");
    return { offset: this.#field(source.field).offset, length };
  }

  #field(name: string): LayoutField {
    const field = this.#layout.fields[name];
    if (field === undefined) throw invalid(`the record has no field ${name}`);
    if (field.offset + field.size > this.#layout.size) {
      throw invalid(`the field ${name} reaches beyond the record`);
    }
    return field;
  }

  #word(octet: number): string {
    const index = octet >>> 2;
    // "| 0" spares the engine the check for integer overflow.
    return this.definitions.define(
      `w${index}`,
      index === 0 ? "words[at]" : `words[(at + ${index}) | 0]`,
    );
  }

  #copied(field: LayoutField, at: number, length: number): WireOctet[] {
    if (at < 0 || at + length > field.size) {
      throw invalid(
        `${counted(length, "octet")} cannot be copied from octet ${at} of ${field.size}`,
      );
    }
    return Array.from({ length }, (_, i) => {
      const octet = field.offset + at + i;
      return { variable: this.#word(octet), index: octet & 3 };
    });
  }

  // An unsigned integer of the record of at most 4 octets.
  #small(offset: number, size: number): string {
    const first = this.#word(offset);
    const shift = 8 * (offset & 3);
    if (size === 4 && shift === 0) return first;
    const mask = size === 4 ? "" : ` & ${2 ** (8 * size) - 1}`;
    const spans = (offset & 3) + size > 4;
    const upper = spans ? ` | (${this.#word(offset + 3)} << ${32 - shift})` : "";
    return this.definitions.define(
      `u${offset}_${size}`,
      `((${first} >>> ${shift})${upper})${mask}`,
    );
  }

  #halves({ offset, size }: LayoutField): Halves {
    if (size === 8) return { high: this.#small(offset + 4, 4), low: this.#small(offset, 4) };
    if (size === 1 || size === 2 || size === 4) {
      return { high: "0", low: this.#small(offset, size) };
    }
    throw invalid(`an integer of ${counted(size, "octet")} cannot be read`);
  }

  #unsigned(field: LayoutField, length: number): WireOctet[] {
    return this.#fitted(this.#halves(field), field.size, length);
  }

  // Copied where it keeps its length or gets zeros before it.
  #network(field: LayoutField, length: number): WireOctet[] {
    const { size } = field;
    if (size > 8) throw invalid(`an integer of ${counted(size, "octet")} cannot be read`);
    const octets = this.#copied(field, 0, size);
    if (length >= size) return [...constantOctets(0, length - size), ...octets];
    const low = this.#assembled(octets.slice(-4));
    const high = size > 4 ? this.#assembled(octets.slice(0, -4)) : "0";
    return this.#fitted({ high, low }, size, length);
  }

  // At most four octets as a number.
  #assembled(octets: readonly WireOctet[]): string {
    const word = [...constantOctets(0, 4 - octets.length), ...octets];
    return this.definitions.defineNew(assemble(word, false).expression);
  }

  // An unsigned integer of `size` octets in `length` octets.
  #fitted(value: Halves, size: number, length: number): WireOctet[] {
    const { high, low } = length < size ? narrowUnsigned(this.definitions, value, length) : value;
    return joined("0", high, low, length);
  }

  #signed(field: LayoutField, length: number): WireOctet[] {
    let { high, low } = this.#halves(field);
    if (field.size < 8) {
      const shift = 32 - 8 * field.size;
      low = this.definitions.define(`s_${low}`, `(${low} << ${shift}) >> ${shift}`);
      high = this.definitions.define(`h_${low}`, `${low} >> 31`);
    }
    if (length < field.size)
      ({ high, low } = narrowSigned(this.definitions, { high, low }, length));
    const sign = length > 8 ? this.definitions.define(`f_${high}`, `${high} >> 31`) : "0";
    return joined(sign, high, low, length);
  }

  #float(field: LayoutField, length: number): WireOctet[] {
    if ((field.size !== 4 && field.size !== 8) || (length !== 4 && length !== 8)) {
      throw invalid("a float has 4 or 8 octets");
    }
    if (field.size === length) return this.#unsigned(field, length);
    const { high, low } = this.#halves(field);
    if (length === 4)
      return joined("0", "0", this.definitions.defineNew(`toSingle(${high}, ${low})`), 4);
    const converted = this.definitions.defineNew(`toDouble(${low})`);
    return joined("0", this.definitions.defineNew("doubleHigh()"), converted, 8);
  }

  #time(field: LayoutField, type: AbstractDataType, length: number): WireOctet[] {
    if (field.size !== 8) throw invalid("a time is nanoseconds in 8 octets");
    const { high, low } = compileTime(this.definitions, this.#halves(field), type);
    return joined("0", high, low, length);
  }

  #bits(name: string, shift: number, mask: number): string {
    const field = this.#field(name);
    if (field.size > 4) throw invalid(`the field ${name} is wider than 4 octets`);
    const { low } = this.#halves(field);
    return this.definitions.define(
      `b_${low}_${shift}_${mask >>> 0}`,
      `(${low} >>> ${shift | 0}) & ${mask | 0}`,
    );
  }

  #masked(bits: string, mask: number, length: number): WireOctet[] {
    const size = Math.ceil((32 - Math.clz32(mask)) / 8);
    return this.#fitted({ high: "0", low: bits }, size, length);
  }

  #contextValue(name: string, length: number): WireOctet[] {
    this.contextValues.set(name, Math.min(length, this.contextValues.get(name) ?? 8));
    const slot = FIRST_VALUE + 2 * [...this.contextValues.keys()].indexOf(name);
    const high = length > 4 ? this.definitions.define(`c${slot}`, `context[${slot}] | 0`) : "0";
    return joined(
      "0",
      high,
      this.definitions.define(`c${slot + 1}`, `context[${slot + 1}] | 0`),
      length,
    );
  }

  #select(
    source: Extract<FieldSource, { kind: "select" }>,
    type: AbstractDataType,
    length: number,
  ): WireOctet[] {
    const condition = this.#bits(source.field, 0, source.mask);
    const whenSet = this.octets(source.whenSet, type, length);
    const whenClear = this.octets(source.whenClear, type, length);
    const octets: WireOctet[] = [];
    // In words from the last octet backwards, so that the halves of an integer stay whole.
    for (let end = length; end > 0; end -= 4) {
      const start = Math.max(0, end - 4);
      const a = assemble(whenSet.slice(start, end), false).expression;
      const b = assemble(whenClear.slice(start, end), false).expression;
      const chosen = this.definitions.defineNew(`${condition} !== 0 ? ${a} : ${b}`);
      octets.unshift(...bigEndianOctets(chosen, end - start));
    }
    return octets;
  }
}

// The `length` last octets of the number sign… | high | low.
function joined(sign: string, high: string, low: string, length: number): WireOctet[] {
  return Array.from({ length }, (_, i) => {
    const significance = length - 1 - i;
    const variable = significance < 4 ? low : significance < 8 ? high : sign;
    return variable === "0" ? { constant: 0 } : { variable, index: significance & 3 };
  });
}

function fixed(value: number, length: number): WireOctet[] {
  const limit = length < 4 ? 2 ** (8 * length) : 2 ** 32;
  if (Number.isInteger(value) && value >= 0 && value < limit) return constantOctets(value, length);
  throw invalid(
    `the constant ${value} is not an unsigned integer of ${counted(Math.min(length, 4), "octet")}`,
  );
}

function invalid(why: string): IoamctlError {
  return new IoamctlError("SOURCE_INVALID", why);
}
