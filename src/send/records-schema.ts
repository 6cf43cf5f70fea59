// What a file of records may say, before elements and values are looked at.
import { z } from "zod";
import { parseRate } from "../agent/config/quantity.ts";
import { choice, list, mapping, parsed, text, wholeNumber } from "../agent/config/schema-parts.ts";
import {
  type AbstractDataType,
  NATURAL_LENGTH,
  SEMANTICS,
  type Semantics,
} from "../ipfix/index.ts";

/** An element that neither IANA nor the IOAM elements have. */
export interface GivenElement {
  readonly name: string;
  readonly id: number;
  readonly enterprise: number;
  readonly type: AbstractDataType;
  readonly length?: number | undefined;
  readonly semantics: Semantics;
  readonly units?: string | undefined;
  readonly description?: string | undefined;
}

/** A template; elements as they are written. */
export interface GivenTemplate {
  readonly id?: number | undefined;
  readonly scope: readonly string[];
  readonly elements: readonly string[];
}

/** A record to be sent. */
export interface GivenRecord {
  readonly template: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly repeat: number;
  /** A second; undefined: as fast as it goes. */
  readonly rate?: number | undefined;
}

/** What a file of records says. */
export interface GivenRecords {
  readonly observationDomainId?: number | undefined;
  readonly elements: readonly GivenElement[];
  readonly templates: Readonly<Record<string, GivenTemplate>>;
  readonly records: readonly GivenRecord[];
}

const TYPES = Object.keys(NATURAL_LENGTH) as AbstractDataType[];

const elementName = text(
  "give the name of an element, such as octetDeltaCount or octetDeltaCount(4)",
);

const ownElement: z.ZodType<GivenElement> = mapping({
  name: z
    .string({ error: "give a name of letters and digits" })
    .regex(/^[A-Za-z]\w*$/, { error: "give a name of letters and digits" }),
  id: wholeNumber(0, 0x7fff),
  enterprise: wholeNumber(1, 0xffff_ffff),
  type: choice(TYPES),
  length: wholeNumber(1, 65_534).optional(),
  semantics: choice(SEMANTICS).default("default"),
  units: text("give the units, such as octets").optional(),
  description: text("say what it is").optional(),
});

const template: z.ZodType<GivenTemplate> = mapping({
  id: wholeNumber(256, 65_535).optional(),
  scope: list(elementName, "elements").default([]),
  elements: list(elementName, "elements").default([]),
});

const VALUES = "give a mapping of values by element name";

const records: z.ZodType<GivenRecord> = mapping({
  template: text("give the name of one of the templates"),
  values: z.record(z.string(), z.unknown(), { error: VALUES }),
  repeat: wholeNumber(1, 1_000_000_000).default(1),
  rate: parsed(parseRate, "give a rate such as 10/s, 30/min or 1/h").optional(),
});

const TEMPLATES =
  "give a mapping of templates by name, such as flow: { elements: [octetDeltaCount] }";

/** The whole file. */
export const recordsSchema: z.ZodType<GivenRecords> = mapping({
  observationDomainId: wholeNumber(0, 0xffff_ffff).optional(),
  elements: list(ownElement, "elements such as { name, id, enterprise, type }").default([]),
  templates: z.record(z.string(), template, { error: TEMPLATES }),
  records: list(records, "records such as { template: flow, values: { octetDeltaCount: 1 } }").min(
    1,
    {
      error: "give at least one record",
    },
  ),
});
