// A file of made-up records: read, checked, and ready to be sent.
import {
  type CheckedYaml,
  checkYaml,
  readYamlFile,
  type YamlFile,
  type YamlMistake,
} from "../agent/config/checked-yaml.ts";
import { IoamctlError } from "../errors.ts";
import {
  type DataRecord,
  ElementRegistry,
  type EnterpriseNumbers,
  ioamElements,
  isLengthAllowed,
  NATURAL_LENGTH,
  Template,
  TemplateIds,
} from "../ipfix/index.ts";
import { containsItself } from "./contains-itself.ts";
import { type ElementField, readElementField } from "./element-text.ts";
import { RecordReader } from "./record-reader.ts";
import { type GivenRecords, recordsSchema } from "./records-schema.ts";

/** Records of one template. */
export interface Entry {
  readonly template: Template;
  readonly repeat: number;
  /** Records a second; undefined: as fast as it goes. */
  readonly rate: number | undefined;
  /** The record as it is at a moment, in nanoseconds since 1970. */
  record(now: bigint): DataRecord;
}

/** What is to be sent. */
export interface RecordsFile {
  /** The configuration's where the file does not say. */
  readonly observationDomainId: number | undefined;
  readonly templates: readonly Template[];
  /** An id that none of the templates has. */
  readonly freeTemplateId: number;
  readonly entries: readonly Entry[];
}

const WHAT = "the file of records";

/** Throws CONFIG_UNREADABLE when there is no such file, ConfigError when it is not right. */
export function loadRecords(name: string, numbers: EnterpriseNumbers): RecordsFile {
  return new Loader(readYamlFile(name, WHAT), numbers).load();
}

/** The same of a text; `name` is what messages call it. */
export function parseRecords(text: string, name: string, numbers: EnterpriseNumbers): RecordsFile {
  return new Loader({ name, text, what: WHAT }, numbers).load();
}

class Loader {
  readonly #file: CheckedYaml<GivenRecords>;
  readonly #registry: ElementRegistry;
  readonly #ids: TemplateIds = new TemplateIds();
  readonly #templates = new Map<string, Template>();
  readonly #mistakes: YamlMistake[] = [];

  constructor(file: YamlFile, numbers: EnterpriseNumbers) {
    this.#file = checkYaml(file, recordsSchema);
    this.#registry = new ElementRegistry(ioamElements(numbers));
  }

  load(): RecordsFile {
    this.#addElements();
    this.#addTemplates();
    // Values say nothing as long as it is not known what they are of.
    this.#refuseMistakes();
    const entries = this.#entries();
    this.#refuseMistakes();
    return {
      observationDomainId: this.#file.value.observationDomainId,
      templates: [...this.#templates.values()],
      freeTemplateId: this.#ids.next(),
      entries,
    };
  }

  #addElements(): void {
    for (const [i, { length, description, ...rest }] of this.#file.value.elements.entries()) {
      const natural = NATURAL_LENGTH[rest.type];
      if (length !== undefined && !isLengthAllowed(rest.type, length)) {
        this.#add(["elements", i, "length"], `${rest.type} cannot be of that length: leave it out`);
      }
      this.#try(["elements", i], () =>
        this.#registry.add({
          ...rest,
          length: length ?? natural,
          units: rest.units,
          status: "current",
          ...(description !== undefined && { description }),
        }),
      );
    }
  }

  #addTemplates(): void {
    const all = Object.entries(this.#file.value.templates);
    for (const [name, { id }] of all) {
      if (id !== undefined) this.#try(["templates", name, "id"], () => this.#ids.take(id));
    }
    for (const [name, { id, scope, elements }] of all) {
      const path = ["templates", name];
      const fields = [
        ...this.#fields(scope, [...path, "scope"]),
        ...this.#fields(elements, [...path, "elements"]),
      ];
      if (fields.length < scope.length + elements.length) continue;
      this.#try(path, () => {
        const template = new Template(id ?? this.#ids.of(name), fields, scope.length);
        this.#templates.set(name, template);
      });
    }
  }

  #fields(texts: readonly string[], path: readonly PropertyKey[]): ElementField[] {
    return texts.flatMap((text, i) => {
      const field = readElementField(text, this.#registry);
      if (typeof field !== "string") return [field];
      this.#add([...path, i], field);
      return [];
    });
  }

  #entries(): Entry[] {
    return this.#file.value.records.flatMap(({ template: name, repeat, rate, values }, i) => {
      const template = this.#templates.get(name);
      if (template === undefined) {
        const known = [...this.#templates.keys()].join(", ");
        this.#add(["records", i, "template"], `give one of the templates ${known}`);
        return [];
      }
      if (containsItself(values)) {
        this.#add(
          ["records", i, "values"],
          "an alias in it stands for what it lies in: write it out",
        );
        return [];
      }
      const read = (now: bigint): [DataRecord, RecordReader] => {
        const reader = new RecordReader(this.#file.source, this.#registry, this.#templates, now);
        return [reader.record(template, values, ["records", i, "values"]), reader];
      };
      const [record, { mistakes, isRelative }] = read(unixNanoseconds());
      this.#mistakes.push(...mistakes);
      return [{ template, repeat, rate, record: (now) => (isRelative ? read(now)[0] : record) }];
    });
  }

  #try(path: readonly PropertyKey[], action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof IoamctlError)) throw error;
      this.#add(path, error.message);
    }
  }

  #add(path: readonly PropertyKey[], message: string): void {
    this.#mistakes.push({ path, message });
  }

  #refuseMistakes(): void {
    if (this.#mistakes.length > 0) throw this.#file.refusal(this.#mistakes);
  }
}

/** The time now, as times in records are read. */
export function unixNanoseconds(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
