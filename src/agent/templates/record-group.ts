// Records that are configured together: which elements they can be exported as, and their templates.
import {
  type ElementRegistry,
  type FieldSource,
  Template,
  type TemplateField,
} from "../../ipfix/index.ts";

/** The keys of `templates` in a configuration. */
export type GroupName = "flow" | "hop" | "dex" | "pathDelay";

/** An element as a list of a configuration has it. */
export interface ElementChoice {
  readonly name: string;
  /** Octets on the wire; those that the record has it in when left out. */
  readonly length?: number | undefined;
}

/** The templates of a group, as configured. */
export interface TemplateConfig {
  /** Of the first template of the group; the others follow it. */
  readonly id: number;
  readonly elements: readonly ElementChoice[];
}

/** What one kind of record gives where an element is asked for. */
export interface OfferedField {
  /** IANA's name, or that of an IOAM element. */
  readonly name: string;
  readonly source: FieldSource;
  /** Octets on the wire, where not as many as the element has. */
  readonly length?: number;
}

/** An element that records of a group can be exported as. */
export interface OfferedElement {
  /** As a list names it. */
  readonly name: string;
  /** By kind; undefined: this kind has none, its template goes without. */
  readonly fields: readonly (OfferedField | undefined)[];
}

/** Kinds of records with one list of elements, each with a template of its own. */
export interface RecordGroup {
  readonly name: GroupName;
  /** Which of the records each template is for, in the order of the ids: "of IPv6". */
  readonly kinds: readonly string[];
  readonly elements: readonly OfferedElement[];
  /** What holds unless it is configured. */
  readonly defaults: TemplateConfig;
}

/** A group whose templates have the elements `byDefault`, in this order, and on demand those of `further`. */
export function recordGroup(
  name: GroupName,
  firstId: number,
  kinds: readonly string[],
  byDefault: readonly OfferedElement[],
  further: readonly OfferedElement[] = [],
): RecordGroup {
  return {
    name,
    kinds,
    elements: [...byDefault, ...further],
    defaults: { id: firstId, elements: byDefault.map((element) => ({ name: element.name })) },
  };
}

/** One template a kind. The configuration has been checked. */
export function templatesOf(
  { kinds, elements }: RecordGroup,
  registry: ElementRegistry,
  config: TemplateConfig,
): Template[] {
  return kinds.map((_, kind) => {
    const fields = config.elements.flatMap(({ name, length }): TemplateField[] => {
      const field = elements.find((element) => element.name === name)?.fields[kind];
      if (field === undefined) return [];
      const octets = length ?? field.length;
      const element = registry.get(field.name);
      return [{ element, source: field.source, ...(octets !== undefined && { length: octets }) }];
    });
    return new Template(config.id + kind, fields);
  });
}
