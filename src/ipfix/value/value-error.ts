// Why a value cannot be sent: one error, put together from the inside out.
import { inspect } from "node:util";
import { IoamctlError } from "../../errors.ts";

const LONGEST = 60;

/** "VALUE is WHAT: give …", about a value of whatever kind. */
export function unfit(value: unknown, rule: string): IoamctlError {
  return invalid(`${shown(value)} does not fit: ${rule}`);
}

/** An error about something else than one value. */
export function invalid(why: string): IoamctlError {
  return new IoamctlError("VALUE_INVALID", why);
}

/** Runs `encode`; an error of it is told with `where` before it. */
export function within(where: () => string, encode: () => void): void {
  try {
    encode();
  } catch (error) {
    if (!(error instanceof IoamctlError) || error.code !== "VALUE_INVALID") throw error;
    throw new IoamctlError(error.code, `${where()}: ${error.message}`, { cause: error.cause });
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
