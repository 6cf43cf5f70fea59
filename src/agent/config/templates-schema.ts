// What a configuration may say of the templates of data.
import { z } from "zod";
import { OPTIONS_TEMPLATE_RANGE } from "../options/template-ids.ts";
import { readElementList } from "../templates/element-list.ts";
import { FLOW_GROUP } from "../templates/flow-template.ts";
import type {
  ElementChoice,
  GroupName,
  RecordGroup,
  TemplateConfig,
} from "../templates/record-group.ts";
import { TRACE_GROUPS } from "../trace/trace-template.ts";
import { list, mapping, wholeNumber } from "./schema-parts.ts";

const GROUPS: Readonly<Record<GroupName, RecordGroup>> = { flow: FLOW_GROUP, ...TRACE_GROUPS };
const NAMES = Object.keys(GROUPS) as GroupName[];

/** As it was written, before defaults are filled in. */
type Given = Partial<Record<GroupName, { id?: number; elements?: readonly ElementChoice[] }>>;

/** `templates`: by group, the id of its first template and the elements of all. */
export const templatesSchema: z.ZodType<Readonly<Record<GroupName, TemplateConfig>>> = mapping(
  Object.fromEntries(NAMES.map((name) => [name, groupSchema(GROUPS[name]).optional()])),
)
  .superRefine((given: Given, context) => {
    for (const [name, message] of idMistakes(given)) {
      context.addIssue({ code: "custom", path: [name, "id"], message });
    }
  })
  .transform((given: Given) => byName((name) => ({ ...GROUPS[name].defaults, ...given[name] })));

function groupSchema(group: RecordGroup): z.ZodType {
  return mapping({
    id: wholeNumber(256, 65_536 - group.kinds.length).optional(),
    elements: elementsSchema(group).optional(),
  });
}

function elementsSchema(group: RecordGroup): z.ZodType {
  const one = z.string({ error: "give the name of an element" });
  return list(one, "elements").transform((texts, context) => {
    const { choices, mistakes } = readElementList(group, texts);
    for (const { at, message } of mistakes) {
      const path = at === undefined ? [] : [at];
      context.issues.push({ code: "custom", path, message, input: texts });
    }
    return choices;
  });
}

/** Ids that overlap, said of one that was given; a default gives way to no other. */
function* idMistakes(given: Given): Generator<[GroupName, string]> {
  for (const [at, name] of NAMES.entries()) {
    const id = given[name]?.id;
    if (id === undefined) continue;
    const last = id + GROUPS[name].kinds.length - 1;
    const takes = id === last ? `it takes ${id}` : `it takes ${id} to ${last}`;
    const { first: from, last: to } = OPTIONS_TEMPLATE_RANGE;
    if (id <= to && last >= from) {
      yield [name, `${takes}, but ${from} to ${to} are those of options: give another`];
    }
    for (const [otherAt, other] of NAMES.entries()) {
      const otherId = given[other]?.id ?? GROUPS[other].defaults.id;
      const otherLast = otherId + GROUPS[other].kinds.length - 1;
      const isToldThere = given[other]?.id !== undefined && otherAt > at;
      if (other === name || isToldThere || id > otherLast || last < otherId) continue;
      const theirs = otherId === otherLast ? `${otherId}` : `${otherId} to ${otherLast}`;
      yield [name, `${takes}, but ${other} has ${theirs}: give another`];
    }
  }
}

function byName<T>(make: (name: GroupName) => T): Record<GroupName, T> {
  return Object.fromEntries(NAMES.map((name) => [name, make(name)])) as Record<GroupName, T>;
}
