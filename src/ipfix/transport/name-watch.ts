// Whether the name of a collector still has the address that is used.
import { addressesOf, type Lookup } from "./name-lookup.ts";

/** What failed sends say of the host, as opposed to what is sent. */
const HOST_FAILURES: ReadonlySet<string> = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH"]);

/** So many of them are a reason to look whether the collector has moved. */
const SUSPICIOUS_FAILURES = 3;

/** Milliseconds between two look-ups of that reason. */
const EARLY_INTERVAL = 10_000;

/** Looks again and again whether a name still has an address. */
export class NameWatch {
  /** Settles with undefined when it has not. */
  readonly moved: Promise<undefined>;
  readonly #name: string;
  readonly #address: string;
  readonly #find: Lookup;
  readonly #timer: NodeJS.Timeout;
  #tellMoved: () => void = () => {};
  #looking = false;
  #failures = 0;
  #nextEarly = 0;

  /** `interval` in milliseconds. Does not keep the process alive. */
  constructor(name: string, address: string, find: Lookup, interval: number) {
    this.#name = name;
    this.#address = address;
    this.#find = find;
    this.moved = new Promise((resolve) => {
      this.#tellMoved = () => resolve(undefined);
    });
    this.#timer = setInterval(() => void this.#look(), interval).unref();
  }

  /** To be told of failed sends: when the host is gone or refuses, it looks at once. */
  sendFailed(code: string): void {
    if (!HOST_FAILURES.has(code) || ++this.#failures < SUSPICIOUS_FAILURES) return;
    const now = performance.now();
    if (now < this.#nextEarly) return;
    this.#nextEarly = now + EARLY_INTERVAL;
    void this.#look();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#tellMoved = () => {};
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    this.#failures = 0;
    try {
      const found = await addressesOf(this.#name, this.#find);
      if (!found.includes(this.#address)) this.#tellMoved();
    } catch {
      // It does not resolve any more, or not now: the address there is may still be right.
    } finally {
      this.#looking = false;
    }
  }
}
