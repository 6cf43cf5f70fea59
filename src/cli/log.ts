// The log: JSON lines on standard error, written at once.
import { pino } from "pino";
import { IoamctlError } from "../errors.ts";

/** Levels of --log-level, from most to least said. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What the rest of the program sees of a logger. */
export type Logger = pino.Logger;

/** A logger that writes `level` and above to standard error before each call returns. */
export function createLogger(level: LogLevel): Logger {
  const destination = pino.destination({ dest: 2, sync: true });
  // Whoever read the log has gone: no reason to stop what is being done.
  destination.on("error", () => {});
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    destination,
  );
}

/** Of an expected failure its code and message are enough; of any other also where it came from. */
function describeError(error: Error): object {
  if (!(error instanceof IoamctlError)) return pino.stdSerializers.err(error);
  const { code, message, detail } = error;
  return { code, message, ...(detail !== undefined && { detail }) };
}

/** Whether `level` asks for the evidence behind an error. */
export function isVerbose(level: string | undefined): boolean {
  return level === "debug" || level === "trace";
}
