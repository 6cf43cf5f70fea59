// Data records of an options template that an exporting process sends by itself (RFC 7011 section 4).
import type { Template } from "../template.ts";
import type { DataRecord } from "../value/data-record.ts";

/** Sent when a transport session begins, and every `period` seconds. */
export interface OptionsRecords {
  /** With scope fields. */
  readonly template: Template;
  /** The observation domain of template and records, 0–4294967295; each has its own sequence numbers. */
  readonly observationDomainId: number;
  /** In seconds: 0.1–2147483. */
  readonly period: number;
  /** Whether these come before the templates of data: they say how to read them (RFC 5610). */
  readonly first?: boolean;
  /** The records as they are now. */
  records(): Iterable<DataRecord>;
}
