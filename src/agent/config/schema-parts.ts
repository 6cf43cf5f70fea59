// What the parts of the configuration's schema are made of; messages say what is right.
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { parseDuration } from "./quantity.ts";

const DAY = 86_400_000;

/** A mapping that has these keys and no others. */
export function mapping<T extends z.ZodRawShape>(shape: T): z.ZodObject<T, z.core.$strict> {
  const keys = Object.keys(shape).join(", ");
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? `known here: ${keys}` : `give a mapping with: ${keys}`,
  });
}

/** A whole number, both limits included. */
export function wholeNumber(minimum: number, maximum: number): z.ZodNumber {
  const error = `give a whole number from ${minimum} to ${maximum}`;
  return z.int({ error }).min(minimum, { error }).max(maximum, { error });
}

/** One of these words. */
export function choice<const T extends readonly string[]>(
  values: T,
): z.ZodEnum<{ [k in T[number]]: k }> {
  return z.enum(values, { error: `give ${values.join(" or ")}` });
}

/** A list of `what`. */
export function list<T extends z.ZodType>(element: T, what: string): z.ZodArray<T> {
  return z.array(element, { error: `give a list of ${what}` });
}

/** Text that is not empty; anything else is answered with `error`. */
export function text(error: string): z.ZodString {
  return z.string({ error }).min(1, { error });
}

/** Text that `parse` understands; what it does not is answered with `error`. */
export function parsed<T>(parse: (text: string) => T | undefined, error: string): z.ZodType<T> {
  return z.string({ error }).transform((given, context): T => {
    const value = parse(given);
    if (value !== undefined) return value;
    context.issues.push({ code: "custom", message: error, input: given });
    return z.NEVER;
  }) as unknown as z.ZodType<T>;
}

/** A duration of at most a day, in milliseconds. */
export function duration(minimum: number, range: string): z.ZodType<number> {
  return parsed(
    (given) => durationFrom(given, minimum),
    `give a duration from ${range}, with its unit, such as 10s, 5m or 1h`,
  );
}

/** The same, or `off`, which is undefined. */
export function period(minimum: number, range: string): z.ZodType<number | undefined> {
  return parsed<{ value: number | undefined }>((given) => {
    if (given === "off") return { value: undefined };
    const value = durationFrom(given, minimum);
    return value === undefined ? undefined : { value };
  }, `give off, or a duration from ${range}, with its unit, such as 60s or 10m`).transform(
    ({ value }) => value,
  );
}

function durationFrom(given: string, minimum: number): number | undefined {
  const value = parseDuration(given);
  return value !== undefined && value >= minimum && value <= DAY ? value : undefined;
}

/** The path, relative to `folder`, of a file that is there. Whether it may be read only the agent can tell. */
export function existingFile(folder: string): z.ZodType<string> {
  return checkedPath(folder, whyNoFile);
}

/** The same of a file to be made, whose folder is there. Whether it may be written only the agent can tell. */
export function fileToMake(folder: string): z.ZodType<string> {
  return checkedPath(folder, whyNotMade);
}

const HINT = "paths are relative to the configuration file's folder";

function checkedPath(
  folder: string,
  whyNot: (file: string) => string | undefined,
): z.ZodType<string> {
  return text("give the path of a file")
    .transform((given) => resolve(folder, given))
    .superRefine((file, context) => {
      const message = whyNot(file);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    });
}

function whyNoFile(file: string): string | undefined {
  switch (kindOf(file)) {
    case "none":
      return `there is no file ${file}: ${HINT}`;
    case "file":
    case "unknown":
      return undefined;
    default:
      return `${file} is not a file: ${HINT}`;
  }
}

function whyNotMade(file: string): string | undefined {
  const folder = dirname(file);
  switch (kindOf(folder)) {
    case "none":
      return `there is no folder ${folder}: make it; ${HINT}`;
    case "file":
    case "other":
      return `${folder} is not a folder: ${HINT}`;
    default:
      return kindOf(file) === "folder"
        ? `${file} is a folder: give the name of a file in it`
        : undefined;
  }
}

/** What is at a path; unknown: this user may not look. */
function kindOf(path: string): "file" | "folder" | "other" | "none" | "unknown" {
  try {
    const stat = statSync(path);
    if (stat.isFile()) return "file";
    return stat.isDirectory() ? "folder" : "other";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES" ? "unknown" : "none";
  }
}
