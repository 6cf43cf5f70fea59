// Random numbers that are the same in every run.

/** xorshift32: a function that returns a number from 0 to `below` - 1, at most 2^32 - 1. */
export function randomNumbers(seed: number): (below: number) => number {
  let x = seed;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}
