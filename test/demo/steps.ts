// What every demo has: steps that an interruption stops, and a last line that says how it went.
import { constants } from "node:os";
import { bold, green, heading, red, say } from "./screen.ts";

/** Set by a signal, or when nobody reads any more: the step that runs is the last. */
let interrupted: NodeJS.Signals | undefined;

/** Begins a step: its name, and what it does and why. */
export function begin(name: string, why: string): void {
  if (interrupted !== undefined) throw new Error(`interrupted by ${interrupted}`);
  heading(name, why);
}

/** Of a step that failed, and of cleaning up after it should that have failed too. */
function reason(error: unknown): string {
  // A SuppressedError, which Node.js has only since 24.
  const { error: later, suppressed } = error as { error?: unknown; suppressed?: unknown };
  if (suppressed !== undefined) return `${reason(suppressed)}; cleaning up: ${reason(later)}`;
  return error instanceof Error ? error.message.trim() : String(error);
}

/**
 * Runs a demo, which resolves to what differs between the two `sides`,
 * and says whether they agree: last line and exit status.
 */
export async function conclude(
  name: string,
  sides: string,
  what: () => string,
  demo: () => Promise<string[]>,
): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      interrupted ??= signal;
    });
  }
  process.stdout.on("error", () => {
    interrupted ??= "SIGPIPE";
  });
  try {
    const differences = await demo();
    if (differences.length === 0) {
      say("", green(bold(`${sides} agree: ${what()}`)));
    } else {
      say("", ...differences.map(red), "");
      say(red(bold(`${sides} differ: ${differences.length} values`)));
      process.exitCode = 1;
    }
  } catch (error) {
    const why = interrupted === undefined ? reason(error) : `interrupted by ${interrupted}`;
    process.stderr.write(`${name}: ${why}\n`);
    process.exitCode = interrupted === undefined ? 1 : 128 + constants.signals[interrupted];
  }
}
