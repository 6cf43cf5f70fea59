// Turns what a file says of a record into values, and says what is wrong with them.
import type { YamlMistake } from "../agent/config/checked-yaml.ts";
import type { YamlSource } from "../agent/config/yaml-source.ts";
import { nearestName } from "../agent/templates/nearest-name.ts";
import {
  checkValue,
  type DataRecord,
  type ElementRegistry,
  encodeRecord,
  type ListSemantic,
  type SubTemplateList,
  type Template,
  type Value,
  ValueError,
} from "../ipfix/index.ts";
import { type ElementField, readElementField } from "./element-text.ts";
import { ruleOf, ScalarReader } from "./scalar-reader.ts";

type Path = readonly PropertyKey[];
type Mapping = Readonly<Record<string, unknown>>;

/** What a list stands for while something in it is wrong. */
const NONE = "";

/** Reads records at one moment, which is what "now" in them means. */
export class RecordReader {
  readonly mistakes: YamlMistake[] = [];
  readonly #registry: ElementRegistry;
  readonly #templates: ReadonlyMap<string, Template>;
  readonly #scalars: ScalarReader;

  /** `now` is in nanoseconds since 1970. */
  constructor(
    source: YamlSource,
    registry: ElementRegistry,
    templates: ReadonlyMap<string, Template>,
    now: bigint,
  ) {
    this.#registry = registry;
    this.#templates = templates;
    this.#scalars = new ScalarReader(source, now);
  }

  /** Whether any value depends on the moment. */
  get isRelative(): boolean {
    return this.#scalars.isRelative;
  }

  /** The record that stands at `path`. It can be sent when no mistake was added. */
  record(template: Template, given: unknown, path: Path): DataRecord {
    const before = this.mistakes.length;
    const record = this.#record(template, given, path);
    if (this.mistakes.length === before) {
      this.#check(path, () => void encodeRecord(template, record));
    }
    return record;
  }

  #record(template: Template, given: unknown, path: Path): DataRecord {
    const names = template.fields.map(({ element }) => element.name);
    const values = this.#mapping(given, names, path, "give a mapping of values by element name");
    if (values === undefined) return {};
    const record: Record<string, Value | Value[]> = {};
    for (const name of new Set(names)) {
      const fields = template.fields.filter(({ element }) => element.name === name);
      const at = [...path, name];
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      if (value === undefined) {
        this.#add(at, `give it a value, of type ${fields[0]!.element.type}`);
      } else if (fields.length === 1) {
        record[name] = this.#value(fields[0]!, value, at);
      } else if (Array.isArray(value) && value.length === fields.length) {
        record[name] = fields.map((field, i) => this.#value(field, value[i], [...at, i]));
      } else {
        this.#add(at, `the template has it ${fields.length} times, give a list of as many values`);
      }
    }
    return record;
  }

  #value(field: ElementField, given: unknown, path: Path): Value {
    const { element, length } = field;
    const before = this.mistakes.length;
    const value = this.#read(field, given, path);
    if (this.mistakes.length > before) return value;
    const rule = ruleOf(element.type, value);
    if (rule !== undefined) this.#add(path, rule);
    else this.#check(path, () => checkValue(element, length, value));
    return value;
  }

  #read({ element }: ElementField, given: unknown, path: Path): Value {
    switch (element.type) {
      case "basicList":
        return this.#basicList(given, path);
      case "subTemplateList":
        return this.#subTemplateList(given, path);
      case "subTemplateMultiList":
        return this.#subTemplateMultiList(given, path);
      default:
        return this.#scalars.read(element.type, given, path);
    }
  }

  #basicList(given: unknown, path: Path): Value {
    const rule = "give { element: NAME, values: [ … ] }, with a semantic if need be";
    const list = this.#mapping(given, ["semantic", "element", "values"], path, rule);
    if (list === undefined) return NONE;
    const { semantic, element, values } = list;
    if (typeof element !== "string" || !Array.isArray(values)) return this.#add(path, rule);
    const field = readElementField(element, this.#registry);
    if (typeof field === "string") return this.#add([...path, "element"], field);
    const read = values.map((value, i) => this.#value(field, value, [...path, "values", i]));
    return { ...semanticOf(semantic), ...field, values: read };
  }

  #subTemplateList(given: unknown, path: Path): Value {
    const rule = "give { template: NAME, records: [ … ] }, with a semantic if need be";
    const list = this.#mapping(given, ["semantic", "template", "records"], path, rule);
    if (list === undefined) return NONE;
    const records = this.#records(list, path, rule);
    return records === undefined ? NONE : { ...semanticOf(list.semantic), ...records };
  }

  #subTemplateMultiList(given: unknown, path: Path): Value {
    const rule =
      "give { lists: [ { template: NAME, records: [ … ] } ] }, with a semantic if need be";
    const multi = this.#mapping(given, ["semantic", "lists"], path, rule);
    if (multi === undefined) return NONE;
    if (!Array.isArray(multi.lists)) return this.#add(path, rule);
    const lists = multi.lists.flatMap((part, i) => {
      const at = [...path, "lists", i];
      const list = this.#mapping(part, ["template", "records"], at, rule);
      return (list && this.#records(list, at, rule)) ?? [];
    });
    return { ...semanticOf(multi.semantic), lists };
  }

  #records(
    { template: name, records }: Mapping,
    path: Path,
    rule: string,
  ): Pick<SubTemplateList, "template" | "records"> | undefined {
    if (typeof name !== "string" || !Array.isArray(records)) {
      this.#add(path, rule);
      return undefined;
    }
    const template = this.#templates.get(name);
    if (template === undefined) {
      this.#add([...path, "template"], `give one of ${[...this.#templates.keys()].join(", ")}`);
      return undefined;
    }
    return {
      template,
      records: records.map((record, i) => this.#record(template, record, [...path, "records", i])),
    };
  }

  /** A mapping that has some of these keys and no others. */
  #mapping(given: unknown, keys: readonly string[], path: Path, rule: string): Mapping | undefined {
    if (typeof given !== "object" || given === null || Array.isArray(given)) {
      this.#add(path, rule);
      return undefined;
    }
    for (const unknownKey of Object.keys(given)) {
      if (keys.includes(unknownKey)) continue;
      const nearest = nearestName(unknownKey, keys);
      const known = `known here: ${[...new Set(keys)].join(", ")}`;
      const message = nearest === undefined ? known : `did you mean ${nearest}?`;
      this.mistakes.push({ path, unknownKey, message });
    }
    return given as Mapping;
  }

  #check(path: Path, check: () => void): void {
    try {
      check();
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      this.#add(path, error.rule);
    }
  }

  #add(path: Path, message: string): typeof NONE {
    this.mistakes.push({ path, message });
    return NONE;
  }
}

/** Whether it is one is checked with the list. */
function semanticOf(given: unknown): { semantic?: ListSemantic } {
  return given === undefined ? {} : { semantic: given as ListSemantic };
}
