// What a collector has to know before data: templates, options and their records.
import { IoamctlError } from "../../errors.ts";
import type { Template } from "../template.ts";
import type { OptionsRecords } from "./options-records.ts";
import {
  type PackedMessage,
  packMessages,
  type SetRecord,
  templateSetId,
} from "./packed-message.ts";

/** A template as a record of a template set, or of an options template set. */
export function templateRecord({ record, scopeFieldCount }: Template): SetRecord {
  return { setId: templateSetId(scopeFieldCount), octets: record };
}

/** What withdraws a template, as a record of such a set. */
export function templateWithdrawal({ withdrawal, scopeFieldCount }: Template): SetRecord {
  return { setId: templateSetId(scopeFieldCount), octets: withdrawal };
}

/** The templates of data, and the options with theirs. */
export class Announcements {
  readonly #domains: readonly number[];
  readonly #templates: Template[];
  readonly #options: readonly OptionsRecords[];

  /** Templates of data are the same in all of `domains`. */
  constructor(
    domains: readonly number[],
    templates: readonly Template[],
    options: readonly OptionsRecords[],
  ) {
    this.#domains = domains;
    this.#templates = [];
    this.#options = options;
    for (const template of templates) this.add(template);
  }

  /** Every template that is sent. */
  get templates(): readonly Template[] {
    return [...this.#templates, ...this.#options.map(({ template }) => template)];
  }

  /** Whether a template of data is among them. Throws as `add` does. */
  has(template: Template): boolean {
    const ofOptions = this.#options
      .filter(({ observationDomainId }) => this.#domains.includes(observationDomainId))
      .map((options) => options.template);
    const same = [...this.#templates, ...ofOptions].find(({ id }) => id === template.id);
    if (same === undefined) return false;
    if (isSame(same, template)) return true;
    throw new IoamctlError(
      "TEMPLATE_INVALID",
      `template ${template.id} is in use with other fields: withdraw it, or take another id`,
    );
  }

  /**
   * Adds a template of data; false: it is there. Throws TEMPLATE_INVALID when another of the same
   * observation domain has its id.
   */
  add(template: Template): boolean {
    if (this.has(template)) return false;
    this.#templates.push(template);
    return true;
  }

  /** False: it is not there. */
  remove(template: Template): boolean {
    const at = this.#templates.findIndex((one) => isSame(one, template));
    if (at >= 0) this.#templates.splice(at, 1);
    return at >= 0;
  }

  /**
   * The messages that tell everything, in the order in which they are to be sent: options that say how
   * to read others, templates, other options; each options template with the `records` of its data.
   */
  messages(
    maxLength: number,
    records: (options: OptionsRecords) => readonly SetRecord[],
  ): PackedMessage[] {
    const pack = (domain: number, all: SetRecord[]): PackedMessage[] =>
      packMessages(all, domain, maxLength, true);
    const told = (options: readonly OptionsRecords[]): PackedMessage[] =>
      [...groupByDomain(options)].flatMap(([domain, group]) =>
        pack(
          domain,
          group.flatMap((one) => [templateRecord(one.template), ...records(one)]),
        ),
      );
    return [
      ...told(this.#options.filter(({ first }) => first === true)),
      ...this.#domains.flatMap((domain) => pack(domain, this.#templates.map(templateRecord))),
      ...told(this.#options.filter(({ first }) => first !== true)),
    ];
  }
}

/** Whether the id and all fields are the same; the id is in the record. */
function isSame(a: Template, b: Template): boolean {
  return Buffer.compare(a.record, b.record) === 0;
}

function groupByDomain(options: readonly OptionsRecords[]): Map<number, OptionsRecords[]> {
  const groups = new Map<number, OptionsRecords[]>();
  for (const one of options) {
    const group = groups.get(one.observationDomainId) ?? [];
    groups.set(one.observationDomainId, group);
    group.push(one);
  }
  return groups;
}
