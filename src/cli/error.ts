// Exit statuses, and how an error becomes one line on standard error.
import { CommanderError } from "commander";
import { IoamctlError } from "../errors.ts";

/** What a command did, as a status of the process. */
export const EXIT: { readonly done: 0; readonly failed: 1; readonly usage: 2 } = {
  done: 0,
  failed: 1,
  usage: 2,
};

/**
 * The status of a Commander error: help and version that were asked for are no failure, everything
 * else that Commander objects to is wrong use.
 */
export function usageStatus(error: CommanderError): number {
  const asked = error.code === "commander.helpDisplayed" || error.code === "commander.version";
  return asked ? EXIT.done : EXIT.usage;
}

/**
 * Writes `error` to standard error as one line, "ioamctl COMMAND: what failed, why, what to do", and
 * returns the exit status. With `verbose` the evidence follows: the verifier's log, the causes, the
 * stack of what was not expected. Each error of an AggregateError has a line of its own.
 */
export function reportError(error: unknown, command: string, verbose: boolean): number {
  if (error instanceof CommanderError) return usageStatus(error);
  if (error instanceof AggregateError) {
    return Math.max(...error.errors.map((one) => reportError(one, command, verbose)));
  }
  const hidden = !verbose && error instanceof IoamctlError && error.detail !== undefined;
  const more = hidden ? " (--log-level debug shows more)" : "";
  process.stderr.write(`${command}: ${oneLine(messageOf(error))}${more}\n`);
  if (verbose) {
    for (const line of evidence(error)) process.stderr.write(`${line}\n`);
  }
  // A wrong configuration is as wrong as a wrong option.
  const wrongUse = error instanceof IoamctlError && error.code === "CONFIG_INVALID";
  return wrongUse ? EXIT.usage : EXIT.failed;
}

/** Text without line breaks, for a message that must stay one line. */
export function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, " ");
}

function messageOf(error: unknown): string {
  if (error instanceof IoamctlError) return error.message;
  if (isSystemError(error)) return error.message;
  const what = error instanceof Error ? error.message : String(error);
  return `unexpected failure: ${what}; please report it with the output of --log-level debug`;
}

/** What Node's own modules throw when a system call fails: its message says which and why. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "code" in error;
}

function* evidence(error: unknown): Generator<string> {
  if (error instanceof IoamctlError) {
    if (error.detail !== undefined) yield error.detail.trimEnd();
    if (error.cause !== undefined) yield `caused by: ${String(error.cause)}`;
  } else if (error instanceof Error && error.stack !== undefined) {
    yield error.stack;
  }
}
