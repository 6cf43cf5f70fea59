// What a configuration may say of an output.
import type { z } from "zod";
import type { OutputConfig } from "./agent-config.ts";
import { parseSize } from "./quantity.ts";
import { choice, duration, fileToMake, mapping, parsed, wholeNumber } from "./schema-parts.ts";

/** What files need at least (src/ipfix/transport/file.ts). */
const LEAST_SIZE = 1_048_576;

/** An entry of `outputs`; paths are relative to `folder`. */
export function outputSchema(folder: string): z.ZodType<OutputConfig> {
  return mapping({
    console: mapping({ format: choice(["json", "text"]).default("json") }).optional(),
    file: fileSchema(folder).optional(),
  }).transform(({ console, file }, context): OutputConfig => {
    if (console !== undefined && file === undefined) return { console };
    if (file !== undefined && console === undefined) return { file };
    const message = "give one of console, file: each output is an entry of its own";
    context.issues.push({ code: "custom", message, input: { console, file } });
    return { console: { format: "json" } };
  });
}

function fileSchema(folder: string): z.ZodType<NonNullable<OutputConfig["file"]>> {
  return mapping({
    path: fileToMake(folder),
    rotate: duration(1000, "1s to 1d").default(3_600_000),
    maxSize: parsed((given) => {
      const octets = parseSize(given);
      return octets !== undefined && octets >= LEAST_SIZE ? octets : undefined;
    }, "give a size of at least 1MiB, with its unit, such as 100MB or 1GiB").optional(),
    keep: wholeNumber(1, 1_000_000).optional(),
  });
}
