// Reads a configuration file: either a whole configuration, or every mistake with its line and column.
import { dirname, resolve } from "node:path";
import type { AgentConfig } from "./agent-config.ts";
import { checkYaml, readYamlFile, type YamlFile } from "./checked-yaml.ts";
import { agentConfigSchema, type Purpose } from "./schema.ts";

const WHAT = "the configuration";

/**
 * Throws CONFIG_UNREADABLE when there is no such file, ConfigError when it is not right; read for
 * exporting alone it may do without anything to meter.
 */
export function loadConfig(file: string, purpose: Purpose = "agent"): AgentConfig {
  return checked(readYamlFile(file, WHAT), purpose);
}

/**
 * Checks a configuration's text; `file` is what messages call it, and paths in the text are relative to
 * its folder. Throws ConfigError.
 */
export function parseConfig(text: string, file: string): AgentConfig {
  return checked({ name: file, text, what: WHAT });
}

function checked(file: YamlFile, purpose?: Purpose): AgentConfig {
  return checkYaml(file, agentConfigSchema(dirname(resolve(file.name)), purpose)).value;
}
