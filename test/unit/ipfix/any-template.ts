// Arbitrary templates with records of known values, for property tests.
import fc from "fast-check";
import {
  type ExportContext,
  type InformationElement,
  ianaElements,
  type LayoutField,
  type RecordLayout,
  Template,
} from "../../../src/ipfix/index.ts";
import { anyField, type Type, tail } from "./any-source.ts";

/** A template, one record for it, and the values that must be decoded. */
export interface RecordCase {
  template: Template;
  layout: RecordLayout;
  record: Uint8Array;
  context: ExportContext;
  read: ((octets: Uint8Array) => unknown)[];
  expected: unknown[];
}

const enterpriseElement = fc.record({
  id: fc.nat(0x7fff),
  enterprise: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
});

const knownElements = new Map<Type, InformationElement[]>();
for (const element of ianaElements()) {
  knownElements.set(element.type, [...(knownElements.get(element.type) ?? []), element]);
}

// One of IANA's elements of that type, or one of an enterprise.
const anyElement: fc.Arbitrary<(type: Type, length: number) => InformationElement> = fc
  .tuple(fc.nat(200), enterpriseElement)
  .map(([choice, own]) => (type, length) => {
    const known = knownElements.get(type)?.[choice];
    if (known !== undefined) return known;
    const name = `own${own.id}`;
    return {
      ...own,
      name,
      type,
      length,
      semantics: "default",
      units: undefined,
      status: "current",
    };
  });

/**
 * Any template of 1 to `maxFields` fields, some of them its scope, and a record whose fields lie
 * anywhere; `withTail`: there may be one more field, of variable length.
 */
export function anyRecord(maxFields = 12, withTail = false): fc.Arbitrary<RecordCase> {
  const place = { anyElement, gap: fc.nat(3) };
  const field = fc.record({ fieldCase: anyField, ...place });
  const last = fc.record({ fieldCase: tail, ...place });
  return fc
    .record({
      id: fc.integer({ min: 256, max: 65535 }),
      clockOffset: fc.bigInt({ min: 0n, max: 2_000_000_000_000_000_000n }),
      whole: fc.array(field, { minLength: 1, maxLength: maxFields }),
      end: fc.array(last, { maxLength: withTail ? 1 : 0 }),
      scope: fc.oneof(fc.constant(0), fc.nat(maxFields)),
    })
    .map(({ id, clockOffset, whole, end, scope }) => {
      const fields = [...whole, ...end];
      const places: Record<string, LayoutField> = {};
      const octets: number[] = [];
      const values: Record<string, bigint> = {};
      const templateFields = fields.map(({ fieldCase, anyElement, gap }, i) => {
        const names = fieldCase.stored.map((stored, k) => {
          const name = `field.${i}_${k}`;
          octets.push(...new Array(gap).fill(0xee));
          places[name] = { offset: octets.length, size: stored.length };
          octets.push(...stored);
          return name;
        });
        if (fieldCase.context !== undefined) values[`value ${i}`] = fieldCase.context;
        const source = fieldCase.source(fieldCase.context === undefined ? names : [`value ${i}`]);
        const { type, length } = fieldCase;
        return { element: anyElement(type, length), length, source };
      });
      const size = Math.ceil(octets.length / 8) * 8;
      return {
        template: new Template(id, templateFields, Math.min(scope, fields.length)),
        layout: { size, fields: places },
        record: Uint8Array.from({ length: size }, (_, i) => octets[i] ?? 0xdd),
        context: { clockOffset, values },
        read: fields.map(({ fieldCase }) => fieldCase.read),
        expected: fields.map(({ fieldCase }) => fieldCase.expected(clockOffset)),
      };
    });
}
