// Reads a configuration file: either a whole configuration, or every mistake with its line and column.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { z } from "zod";
import { IoamctlError } from "../../errors.ts";
import type { AgentConfig } from "./agent-config.ts";
import { agentConfigSchema } from "./schema.ts";
import { type Position, YamlSource } from "./yaml-source.ts";

/** Mistakes in a configuration file, each a line "FILE:LINE:COLUMN: what is wrong and what is right". */
export class ConfigError extends IoamctlError {
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    const more = mistakes.length > 1 ? ` (and ${mistakes.length - 1} more: --check lists all)` : "";
    super("CONFIG_INVALID", `${mistakes[0]}${more}`);
    this.mistakes = mistakes;
  }
}

/** Throws CONFIG_UNREADABLE when there is no such file, ConfigError when it is not right. */
export function loadConfig(file: string): AgentConfig {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : message;
    throw new IoamctlError(
      "CONFIG_UNREADABLE",
      `cannot read the configuration ${file}: ${why}: give the path of a file that exists`,
      { cause },
    );
  }
  return parseConfig(text, file);
}

/**
 * Checks a configuration's text; `file` is what messages call it, and paths in the text are relative to
 * its folder. Throws ConfigError.
 */
export function parseConfig(text: string, file: string): AgentConfig {
  const source = new YamlSource(text);
  if (source.problems.length > 0) {
    throw new ConfigError(
      source.problems.map((problem) => line(file, problem, `not valid YAML: ${problem.message}`)),
    );
  }
  const result = agentConfigSchema(dirname(resolve(file))).safeParse(source.value ?? {});
  if (result.success) return result.data;
  const mistakes = result.error.issues.flatMap((issue) => [...describe(issue, source)]);
  mistakes.sort((a, b) => a.at.line - b.at.line || a.at.column - b.at.column);
  throw new ConfigError(mistakes.map(({ at, message }) => line(file, at, message)));
}

interface Mistake {
  at: Position;
  message: string;
}

function* describe(issue: z.core.$ZodIssue, source: YamlSource): Generator<Mistake> {
  const { path } = issue;
  if (issue.code === "unrecognized_keys") {
    for (const key of issue.keys) {
      const inside = path.length === 0 ? "" : ` in ${nameOf(path)}`;
      const message = `unknown key ${key}${inside}: ${issue.message}`;
      yield { at: source.positionOfKey(path, key), message };
    }
    return;
  }
  const at = source.positionOf(path);
  if (path.length === 0) {
    yield { at, message: `the configuration: ${issue.message}` };
  } else if (!source.has(path)) {
    const parent = path.length === 1 ? "the configuration" : nameOf(path.slice(0, -1));
    yield { at, message: `${parent} has no ${String(path.at(-1))}: ${issue.message}` };
  } else {
    const text = source.textOf(path);
    const found = text === undefined ? "" : ` is ${JSON.stringify(text)}`;
    yield { at, message: `${nameOf(path)}${found}: ${issue.message}` };
  }
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
