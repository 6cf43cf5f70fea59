// Mistakes in a file, each a line of its own.
import { ConfigError } from "../agent/config/checked-yaml.ts";
import { IoamctlError } from "../errors.ts";

/** Runs `read`; where it finds several mistakes in a file, each is reported. */
export function tellEveryMistake<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new AggregateError(
      error.mistakes.map((mistake) => new IoamctlError(error.code, mistake)),
    );
  }
}
