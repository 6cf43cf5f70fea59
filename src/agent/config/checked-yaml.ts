// Reads a YAML file: either all that it says, or every mistake with its line and column.
import { readFileSync } from "node:fs";
import type { z } from "zod";
import { IoamctlError } from "../../errors.ts";
import { type Position, YamlSource } from "./yaml-source.ts";

/** Mistakes in a file, each a line "FILE:LINE:COLUMN: what is wrong and what is right". */
export class ConfigError extends IoamctlError {
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    const more = mistakes.length > 1 ? ` (and ${mistakes.length - 1} more: --check lists all)` : "";
    super("CONFIG_INVALID", `${mistakes[0]}${more}`);
    this.mistakes = mistakes;
  }
}

/** Where in a file something is wrong, and what. */
export interface YamlMistake {
  readonly path: readonly PropertyKey[];
  /** What is right. */
  readonly message: string;
  /** Of the mapping at `path`: the key that should not be there. */
  readonly unknownKey?: string;
}

/** A file's name and text, and what messages call what it says: "the configuration". */
export interface YamlFile {
  readonly name: string;
  readonly text: string;
  readonly what: string;
}

/** Reads a file. Throws CONFIG_UNREADABLE when that cannot be. */
export function readYamlFile(name: string, what: string): YamlFile {
  try {
    return { name, what, text: readFileSync(name, "utf8") };
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : message;
    throw new IoamctlError(
      "CONFIG_UNREADABLE",
      `cannot read ${what} ${name}: ${why}: give the path of a file that exists`,
      { cause },
    );
  }
}

/** A file that is YAML and has the form of a schema. */
export interface CheckedYaml<T> {
  readonly value: T;
  readonly source: YamlSource;
  /** An error of further mistakes in it. */
  refusal(mistakes: readonly YamlMistake[]): ConfigError;
}

/** What a file says. Throws ConfigError. */
export function checkYaml<T>(file: YamlFile, schema: z.ZodType<T>): CheckedYaml<T> {
  const { name, text, what } = file;
  const source = new YamlSource(text);
  if (source.problems.length > 0) {
    throw new ConfigError(
      source.problems.map((problem) => line(name, problem, `not valid YAML: ${problem.message}`)),
    );
  }
  const refusal = (mistakes: readonly YamlMistake[]): ConfigError => {
    const placed = mistakes.map((mistake) => describe(mistake, source, what));
    placed.sort((a, b) => a.at.line - b.at.line || a.at.column - b.at.column);
    return new ConfigError(placed.map(({ at, message }) => line(name, at, message)));
  };
  const result = schema.safeParse(source.value ?? {});
  if (!result.success) throw refusal(result.error.issues.flatMap(mistakesOf));
  return { value: result.data, source, refusal };
}

function mistakesOf(issue: z.core.$ZodIssue): YamlMistake[] {
  const { path, message } = issue;
  if (issue.code !== "unrecognized_keys") return [{ path, message }];
  return issue.keys.map((unknownKey) => ({ path, message, unknownKey }));
}

function describe(
  { path, message, unknownKey }: YamlMistake,
  source: YamlSource,
  what: string,
): { at: Position; message: string } {
  if (unknownKey !== undefined) {
    const inside = path.length === 0 ? "" : ` in ${nameOf(path)}`;
    return {
      at: source.positionOfKey(path, unknownKey),
      message: `unknown key ${unknownKey}${inside}: ${message}`,
    };
  }
  const at = source.positionOf(path);
  if (path.length === 0) return { at, message: `${what}: ${message}` };
  if (!source.has(path)) {
    const parent = path.length === 1 ? what : nameOf(path.slice(0, -1));
    return { at, message: `${parent} has no ${String(path.at(-1))}: ${message}` };
  }
  const text = source.textOf(path);
  const found = text === undefined ? "" : ` is ${JSON.stringify(text)}`;
  return { at, message: `${nameOf(path)}${found}: ${message}` };
}

/** A path as people write it: collectors[0].mtu. */
function nameOf(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("")
    .replace(/^\./, "");
}

function line(file: string, { line, column }: Position, message: string): string {
  return `${file}:${line}:${column}: ${message.replace(/\s*\n\s*/g, " ")}`;
}
