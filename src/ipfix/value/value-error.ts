// Why a value cannot be sent: one error, put together from the inside out.
import { inspect } from "node:util";
import { IoamctlError } from "../../errors.ts";

const LONGEST = 60;

/** A value that cannot be sent. Its message says where it is, what it is, and the rule. */
export class ValueError extends IoamctlError {
  /** What is right, alone. */
  readonly rule: string;

  constructor(message: string, rule: string) {
    super("VALUE_INVALID", message);
    this.rule = rule;
  }
}

/** "VALUE does not fit: RULE", about a value of whatever kind. */
export function unfit(value: unknown, rule: string): ValueError {
  return new ValueError(`${shown(value)} does not fit: ${rule}`, rule);
}

/** An error about something else than one value. */
export function invalid(why: string): ValueError {
  return new ValueError(why, why);
}

/** Runs `encode`; an error of it is told with `where` before it. */
export function within(where: () => string, encode: () => void): void {
  try {
    encode();
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new ValueError(`${where()}: ${error.message}`, error.rule);
  }
}

/** A value in one short line, whatever it is. */
function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = inspect(value, {
    depth: 0,
    customInspect: false,
    maxArrayLength: 8,
    maxStringLength: LONGEST,
    breakLength: Number.POSITIVE_INFINITY,
  }).replace(/\s+/g, " ");
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}
