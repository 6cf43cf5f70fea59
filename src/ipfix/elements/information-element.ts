// What is known of an information element (RFC 7012 section 2.1).
import type { AbstractDataType } from "./data-type.ts";

/** Data type semantics (RFC 7012 section 3.2), in the order of IANA's numbers. */
export const SEMANTICS = [
  "default",
  "quantity",
  "totalCounter",
  "deltaCounter",
  "identifier",
  "flags",
  "list",
  "snmpCounter",
  "snmpGauge",
] as const;

/** What the values of an element mean. */
export type Semantics = (typeof SEMANTICS)[number];

/** An information element: what a template names. */
export interface InformationElement {
  readonly name: string;
  /** 1–32767; ids of an enterprise are that enterprise's own, and may be 0. */
  readonly id: number;
  /** Private enterprise number; 0 for IANA's own elements, which carry none on the wire. */
  readonly enterprise: number;
  readonly type: AbstractDataType;
  /** Octets of a field unless a template says otherwise; 65535 for variable. */
  readonly length: number;
  readonly semantics: Semantics;
  /** Units as IANA writes them ("octets"), or undefined. */
  readonly units: string | undefined;
  readonly status: "current" | "deprecated";
  /** What it is, for people. IANA's elements have theirs in IANA's registry alone. */
  readonly description?: string;
}
