// Errors that may repeat with every rotation or packet: the first is logged, the rest counted.
import type { Logger } from "pino";

const PERIOD_MS = 60_000;

/** Logs the same trouble at most once a minute, and then how often it was kept back. */
export class LimitedLog {
  readonly #log: Logger;
  readonly #seen: Map<string, { until: number; kept: number }> = new Map();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Logs a warning; `key` tells one trouble from another. */
  warn(key: string, fields: object, message: string): void {
    const now = performance.now();
    const seen = this.#seen.get(key);
    if (seen !== undefined && now < seen.until) {
      seen.kept++;
      return;
    }
    const repeated = seen?.kept ? { repeated: seen.kept } : {};
    this.#seen.set(key, { until: now + PERIOD_MS, kept: 0 });
    this.#log.warn({ ...fields, ...repeated }, message);
  }
}
