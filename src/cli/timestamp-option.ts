// --timestamps: how the nodes of each IOAM namespace write their timestamps.
import { InvalidArgumentError, Option } from "commander";
import { TIMESTAMP_FORMATS, type TimestampFormat, type TimestampFormats } from "../ioam/index.ts";

/** The option; its value is a TimestampFormats. */
export function timestampsOption(): Option {
  return new Option(
    "--timestamps <format...>",
    `how nodes write timestamps: ${TIMESTAMP_FORMATS.join(", ")}, or of one IOAM namespace ` +
      "as ID=FORMAT (default: posix, as Linux does)",
  ).argParser(add);
}

function add(text: string, before: TimestampFormats | undefined): TimestampFormats {
  const formats = before ?? { other: "posix", byNamespace: new Map() };
  const match = /^(?:(\d+|0x[0-9a-f]+)=)?(\w+)$/i.exec(text);
  const format = match?.[2] as TimestampFormat;
  const id = match?.[1] === undefined ? undefined : Number(match[1]);
  if (!TIMESTAMP_FORMATS.includes(format) || (id ?? 0) > 0xffff) {
    throw new InvalidArgumentError(
      `Give ${TIMESTAMP_FORMATS.join(", ")}, or ID=FORMAT with the id of an IOAM namespace.`,
    );
  }
  if (id === undefined) return { ...formats, other: format };
  return { ...formats, byNamespace: new Map(formats.byNamespace).set(id, format) };
}
