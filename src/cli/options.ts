// Options that several commands share, and the parsers of their values.
import { InvalidArgumentError, Option } from "commander";
import { LOG_LEVELS, type LogLevel } from "./log.ts";

/** Values of the options that every command has. */
export interface CommonOptions {
  logLevel: LogLevel;
}

/** --log-level: how much is said on standard error. */
export function logLevelOption(): Option {
  return new Option("--log-level <level>", "how much to log on standard error")
    .choices(LOG_LEVELS)
    .default("info");
}

/** --netns: another network namespace than the one that the command runs in. */
export function netnsOption(): Option {
  return new Option(
    "--netns <name>",
    "network namespace, as `ip netns` lists it (default: this one)",
  ).argParser(notEmpty("a name that `ip netns` lists"));
}

/** The same in a command that a message advises: " --netns NAME", or nothing. */
export function netnsArgument(netns: string | null | undefined): string {
  return netns === null || netns === undefined ? "" : ` --netns ${netns}`;
}

/** -n, of one or more interfaces: may be repeated. */
export function interfacesOption(description: string): Option {
  const one = notEmpty("the name of an interface");
  return new Option("-n, --interface <name...>", description).argParser(
    (text, before: string[] | undefined) => {
      const name = one(text);
      return before?.includes(name) ? before : [...(before ?? []), name];
    },
  );
}

/** --json: one JSON document instead of text, or what `description` says. */
export function jsonOption(description = "print one JSON document"): Option {
  return new Option("--json", description);
}

/** A parser of whole numbers from `minimum` to `maximum`, decimal or hexadecimal with 0x. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^(\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : Number.NaN;
    if (!(value >= minimum && value <= maximum)) {
      throw new InvalidArgumentError(
        `Give a whole number from ${minimum} to ${maximum}, decimal or as 0x….`,
      );
    }
    return value;
  };
}

function notEmpty(what: string): (text: string) => string {
  return (text) => {
    if (text === "") throw new InvalidArgumentError(`Give ${what}.`);
    return text;
  };
}
