// Values that are no lists, from what YAML makes of them.
import type { YamlSource } from "../agent/config/yaml-source.ts";
import type { AbstractDataType, Value } from "../ipfix/index.ts";
import { isRelative, parseTime, TIME_FORMS } from "./time-text.ts";

const INTEGER = /^[+-]?\d+$|^0x[0-9a-f]+$/i;
const HEXADECIMAL = /^(?:0x)?((?:[0-9a-f]{2}[: ]?)*)$/i;

/** Nanoseconds of the unit of each type of time. */
const UNITS: Partial<Record<AbstractDataType, bigint>> = {
  dateTimeSeconds: 1_000_000_000n,
  dateTimeMilliseconds: 1_000_000n,
  dateTimeMicroseconds: 1000n,
  dateTimeNanoseconds: 1n,
};

/** What is right for a value that was read from text, where that is not what the library says. */
export function ruleOf(type: AbstractDataType, value: Value): string | undefined {
  if (type === "octetArray" && !(value instanceof Uint8Array)) {
    return "give hexadecimal digits, two an octet, such as 00ff10";
  }
  return UNITS[type] !== undefined && typeof value !== "bigint" ? TIME_FORMS : undefined;
}

/** Reads values; what it cannot make sense of stays as it is, to be refused as such. */
export class ScalarReader {
  /** Whether any time so far was relative to now. */
  isRelative = false;
  readonly #source: YamlSource;
  readonly #now: bigint;

  constructor(source: YamlSource, now: bigint) {
    this.#source = source;
    this.#now = now;
  }

  /** The value at `path`, of which YAML has made `given`. */
  read(type: AbstractDataType, given: unknown, path: readonly PropertyKey[]): Value {
    const value = given as Value;
    if (given === null) return value;
    // As it was written: YAML takes 0102 for a number, and rounds beyond 2^53.
    const text = typeof given === "string" ? given : this.#source.textOf(path);
    if (text === undefined) return value;
    if (/^(un)?signed/.test(type)) return INTEGER.test(text) ? integer(text) : value;
    if (type === "string") return text;
    if (type === "octetArray") return octets(text) ?? value;
    const unit = UNITS[type];
    if (unit === undefined) return value;
    if (INTEGER.test(text)) return integer(text);
    const time = parseTime(text, this.#now);
    if (time === undefined) return value;
    this.isRelative ||= isRelative(text);
    return time / unit;
  }
}

function integer(text: string): bigint {
  return BigInt(text.replace(/^\+/, ""));
}

function octets(text: string): Uint8Array | undefined {
  const digits = HEXADECIMAL.exec(text.trim())?.[1];
  return digits === undefined ? undefined : Buffer.from(digits.replace(/[: ]/g, ""), "hex");
}
