// Arbitrary templates of any elements with records as values, lists in them too, for property tests.
import fc from "fast-check";
import {
  type DataRecord,
  type ListSemantic,
  Template,
  type Value,
} from "../../../src/ipfix/index.ts";
import type { DecodedList, DecodedValue } from "../../conformance/decoded-value.ts";
import { anyField, anyValue, type FieldCase, type ValueCase } from "./any-value.ts";

/** Records of one template, and the values that must be decoded. */
export interface RecordsCase {
  template: Template;
  records: DataRecord[];
  /** Of each record, in the template's order. */
  expected: DecodedValue[][];
}

/** The same with the templates of lists, which have to be known before. */
export type AnyRecords = RecordsCase & { nested: Template[] };

/** Templates get their ids, each the next, when all is known. */
type Build<T> = (nextId: () => number, nested: Template[]) => T;

const SEMANTICS: [ListSemantic | undefined, number][] = [
  ["noneOf", 0],
  ["exactlyOneOf", 1],
  ["oneOrMoreOf", 2],
  ["allOf", 3],
  ["ordered", 4],
  ["undefined", 255],
  [undefined, 255],
];

const anySemantic = fc
  .constantFrom(...SEMANTICS)
  .map(([semantic, number]) => ({ given: semantic === undefined ? {} : { semantic }, number }));

/** A template of up to `maxFields` fields, some of them its scope, and one to three records. */
export function anyRecords(maxFields = 8): fc.Arbitrary<AnyRecords> {
  return fc
    .tuple(buildRecords(maxFields, 1, 2), fc.integer({ min: 256, max: 65000 }))
    .map(([build, first]) => {
      let id = first;
      const nested: Template[] = [];
      return { ...build(() => id++, nested), nested };
    });
}

function buildRecords(
  maxFields: number,
  minRecords: number,
  depth: number,
): fc.Arbitrary<Build<RecordsCase>> {
  const field = anyField(depth > 0).chain((one) =>
    fc
      .array(buildValue(one, depth), { minLength: 3, maxLength: 3 })
      .map((values) => ({ ...one, values })),
  );
  return fc
    .record({
      fields: fc.array(field, { minLength: 1, maxLength: maxFields }),
      scope: fc.oneof(fc.constant(0), fc.nat(maxFields)),
      count: fc.integer({ min: minRecords, max: 3 }),
    })
    .map(({ fields, scope, count }) => (nextId, nested) => {
      const template = new Template(nextId(), fields, Math.min(scope, fields.length));
      const rows = Array.from({ length: count }, (_, i) =>
        fields.map(({ values }) => values[i]!(nextId, nested)),
      );
      return {
        template,
        records: rows.map((row) => byName(fields, row)),
        expected: rows.map((row) => row.map(({ expected }) => expected)),
      };
    });
}

/** Values by name; in an array where the name comes several times. */
function byName(fields: readonly FieldCase[], row: readonly ValueCase[]): DataRecord {
  const values = new Map<string, Value[]>();
  for (const [i, { element }] of fields.entries()) {
    values.set(element.name, [...(values.get(element.name) ?? []), row[i]!.value]);
  }
  return Object.fromEntries(
    Array.from(values, ([name, all]) => [name, all.length === 1 ? all[0]! : all]),
  );
}

function buildValue({ element, length }: FieldCase, depth: number): fc.Arbitrary<Build<ValueCase>> {
  switch (element.type) {
    case "basicList":
      return buildBasicList(depth - 1);
    case "subTemplateList":
      return fc
        .tuple(anySemantic, buildRecords(3, 0, depth - 1))
        .map(([{ given, number }, build]) => (nextId, nested) => {
          const list = listed(build(nextId, nested), nested);
          return {
            value: { ...given, ...list.value },
            expected: { semantic: number, lists: [list.expected] },
          };
        });
    case "subTemplateMultiList":
      return fc
        .tuple(anySemantic, fc.array(buildRecords(3, 0, depth - 1), { maxLength: 3 }))
        .map(([{ given, number }, builds]) => (nextId, nested) => {
          const lists = builds.map((build) => listed(build(nextId, nested), nested));
          return {
            value: { ...given, lists: lists.map(({ value }) => value) },
            expected: { semantic: number, lists: lists.map(({ expected }) => expected) },
          };
        });
    default:
      return anyValue(element.type, length).map((one) => () => one);
  }
}

function listed({ template, records, expected }: RecordsCase, nested: Template[]) {
  nested.push(template);
  return { value: { template, records }, expected: { template: template.id, records: expected } };
}

function buildBasicList(depth: number): fc.Arbitrary<Build<ValueCase>> {
  return fc
    .tuple(anySemantic, anyField(depth > 0), fc.boolean())
    .chain(([semantic, field, isLengthGiven]) =>
      fc.array(buildValue(field, depth), { maxLength: 4 }).map((builds) => ({
        ...{ semantic, field, builds },
        isLengthGiven: isLengthGiven || field.length !== field.element.length,
      })),
    )
    .map(({ semantic, field: { element, length }, builds, isLengthGiven }) => (nextId, nested) => {
      const values = builds.map((build) => build(nextId, nested));
      const expected: DecodedList = {
        semantic: semantic.number,
        element: `${element.enterprise}/${element.id}`,
        length,
        values: values.map((one) => one.expected),
      };
      return {
        value: {
          ...semantic.given,
          element,
          ...(isLengthGiven && { length }),
          values: values.map((one) => one.value),
        },
        expected,
      };
    });
}
