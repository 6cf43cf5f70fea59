// What a test opens is closed after it, the last first.
import { afterEach } from "vitest";

/** To be called once a file, at its top: gives a function that remembers what it is given. */
export function closedAfterEach(): <T extends { close(): unknown }>(one: T) => T {
  const closing: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const one of closing.splice(0).reverse()) await one.close();
  });
  return (one) => {
    closing.push(one);
    return one;
  };
}
