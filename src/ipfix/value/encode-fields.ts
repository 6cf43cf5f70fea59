// The fields of a record, each from the value of its element's name.
import type { Template } from "../template.ts";
import { encodeValue } from "./encode-value.ts";
import type { OctetWriter } from "./octet-writer.ts";
import { invalid, unfit, within } from "./value-error.ts";

/** How often each name is in a template. */
const namesOf = new WeakMap<Template, ReadonlyMap<string, number>>();

/**
 * Writes the record's values in the template's order; `depth` is how many lists it lies in. Throws
 * VALUE_INVALID when a value is missing, is none of the template's, or does not fit its field.
 */
export function encodeFields(
  writer: OctetWriter,
  template: Template,
  record: unknown,
  depth: number,
): void {
  if (typeof record !== "object" || record === null || Array.isArray(record)) {
    throw unfit(record, "give an object of values by element name");
  }
  const values = record as Readonly<Record<string, unknown>>;
  const names = countNames(template);
  refuseOthers(values, names);
  const written = new Map<string, number>();
  for (const { element, length } of template.fields) {
    const { name } = element;
    within(
      () => name,
      () => {
        const count = names.get(name)!;
        let value = own(values, name);
        if (count > 1) {
          const place = written.get(name) ?? 0;
          written.set(name, place + 1);
          value = several(value, count)[place];
        }
        encodeValue(writer, element, length, value, depth);
      },
    );
  }
}

function countNames(template: Template): ReadonlyMap<string, number> {
  const known = namesOf.get(template);
  if (known !== undefined) return known;
  const counts = new Map<string, number>();
  for (const { element } of template.fields) {
    counts.set(element.name, (counts.get(element.name) ?? 0) + 1);
  }
  namesOf.set(template, counts);
  return counts;
}

// A mistyped name must not be passed over in silence.
function refuseOthers(
  values: Readonly<Record<string, unknown>>,
  names: ReadonlyMap<string, number>,
): void {
  for (const name of Object.keys(values)) {
    if (!names.has(name)) {
      throw invalid(`the template has no ${name}: give values for ${[...names.keys()].join(", ")}`);
    }
  }
}

function own(values: Readonly<Record<string, unknown>>, name: string): unknown {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (value === undefined) throw invalid("the record has no value for it");
  return value;
}

function several(value: unknown, count: number): readonly unknown[] {
  if (Array.isArray(value) && value.length === count) return value;
  throw unfit(value, `the template has it ${count} times, give an array of ${count} values`);
}
