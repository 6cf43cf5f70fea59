// Calls back at even intervals of the monotonic clock, without drift and without overlap.

/** A running ticker. */
export interface Ticker {
  stop(): void;
  /** Resolves when no tick runs. */
  idle(): Promise<void>;
}

/**
 * Calls `tick` at `period`, 2 · `period`, … milliseconds from now. The times are those of the first
 * call however long a tick takes; while one is being awaited, the times that pass are skipped.
 */
export function startTicker(period: number, tick: () => Promise<void>): Ticker {
  const start = performance.now();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let count = 0;
  let running = Promise.resolve();

  const schedule = (): void => {
    if (stopped) return;
    const elapsed = performance.now() - start;
    // A timer may fire a fraction of a millisecond early: never the same time twice.
    count = Math.max(count, Math.floor(elapsed / period)) + 1;
    timer = setTimeout(run, count * period - elapsed);
  };
  const run = (): void => {
    running = tick().finally(() => setImmediate(schedule));
  };
  schedule();
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
    idle: () => running,
  };
}
