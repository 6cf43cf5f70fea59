// Looks up a collector's name, for its later sessions only when a test has made ready for them.
import type { Lookup } from "../../src/ipfix/index.ts";

/** Closed until `open`. */
export class Gate {
  readonly opened: Promise<void>;
  #open = (): void => {};

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open();
  }
}

/** Gives the addresses of the first session at once, `later` ones once the gate is open. */
export function gatedLookup(
  { opened }: Gate,
  first: readonly string[],
  later: readonly string[] = first,
): Lookup {
  let lookups = 0;
  return async () => {
    if (lookups++ === 0) return first;
    await opened;
    return later;
  };
}
