// One attempt at a transport session: it has a deadline, and may be given up.
import { IoamctlError } from "../../errors.ts";

/** Bounds what an attempt waits for. */
export class Attempt {
  /** The destination's, for messages. */
  readonly name: string;
  /** Milliseconds that it may take in all. */
  readonly timeout: number;
  readonly #signal: AbortSignal;
  readonly #deadline: number;

  /** `name` is the destination's, for messages; `timeout` in milliseconds; `signal` gives it up. */
  constructor(name: string, timeout: number, signal: AbortSignal) {
    this.name = name;
    this.timeout = timeout;
    this.#signal = signal;
    this.#deadline = performance.now() + timeout;
  }

  /** Milliseconds to the deadline. */
  get left(): number {
    return Math.max(0, this.#deadline - performance.now());
  }

  /**
   * Settles as `promise` does; with what `late` gives or throws when that takes longer than
   * `milliseconds`, which by default is all the time left. Rejects with CONNECT_ABORTED when the
   * attempt is given up. Whoever waits cleans up.
   */
  async within<T>(
    promise: Promise<T>,
    late: () => T,
    milliseconds: number = this.left,
  ): Promise<T> {
    let cancel = (): void => {};
    const over = new Promise<T>((resolve, reject) => {
      const atDeadline = (): void => {
        try {
          resolve(late());
        } catch (error) {
          reject(error);
        }
      };
      const timer = setTimeout(atDeadline, milliseconds);
      const abort = (): void => reject(this.#aborted());
      this.#signal.addEventListener("abort", abort);
      cancel = () => {
        clearTimeout(timer);
        this.#signal.removeEventListener("abort", abort);
      };
      if (this.#signal.aborted) abort();
    });
    try {
      return await Promise.race([over, promise]);
    } finally {
      cancel();
    }
  }

  #aborted(): IoamctlError {
    const message = `${this.name}: the attempt to connect was given up`;
    return new IoamctlError("CONNECT_ABORTED", message, { cause: this.#signal.reason });
  }
}
