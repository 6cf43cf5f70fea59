// Waits for a condition instead of sleeping.
import { setTimeout as delay } from "node:timers/promises";

/** Asks again and again until the answer is neither false nor undefined; fails after `timeout` ms. */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  { timeout = 30_000, every = 5 }: { timeout?: number; every?: number } = {},
): Promise<Exclude<T, false | undefined>> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== undefined) return answer as Exclude<T, false | undefined>;
    if (Date.now() > deadline) throw new Error(`not in ${timeout} ms: ${what}`);
    await delay(every);
  }
}
