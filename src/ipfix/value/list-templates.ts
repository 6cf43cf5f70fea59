// The templates of the lists in a record: they have to be known before the record (RFC 6313 section 4.5).
import type { AbstractDataType } from "../elements/data-type.ts";
import type { Template } from "../template.ts";
import type { DataRecord, Value } from "./data-record.ts";
import type { BasicList, SubTemplateList, SubTemplateMultiList } from "./list-value.ts";

/** Gives each template that the lists of these records use, and those in them; one may come again. */
export function* listTemplates(
  template: Template,
  records: Iterable<DataRecord>,
): Generator<Template> {
  const lists = template.fields.map(({ element }) => element).filter(({ type }) => isList(type));
  if (lists.length === 0) return;
  for (const record of records) {
    for (const { name, type } of lists) {
      const value = record[name]!;
      for (const one of Array.isArray(value) ? (value as readonly Value[]) : [value as Value]) {
        yield* templatesOf(type, one);
      }
    }
  }
}

function isList(type: AbstractDataType): boolean {
  return type === "basicList" || type === "subTemplateList" || type === "subTemplateMultiList";
}

function* templatesOf(type: AbstractDataType, value: Value): Generator<Template> {
  if (type === "basicList") {
    const { element, values } = value as BasicList;
    if (isList(element.type)) for (const one of values) yield* templatesOf(element.type, one);
    return;
  }
  const parts =
    type === "subTemplateList" ? [value as SubTemplateList] : (value as SubTemplateMultiList).lists;
  for (const { template, records } of parts) {
    yield* listTemplates(template, records);
    yield template;
  }
}
