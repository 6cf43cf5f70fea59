// Keeps a destination connected: one transport session after another, with pauses between attempts.
import { IoamctlError } from "../../errors.ts";
import type { Destination } from "../transport/destination.ts";
import type { Transport } from "../transport/transport.ts";

/** What a link is doing. */
export type LinkState = "connecting" | "connected" | "waiting" | "closed";

/** What a link tells its owner. */
export interface LinkObserver {
  /** A transport session begins. When this throws, the session counts as a failed attempt. */
  opened(transport: Transport): void;
  /** An attempt failed. */
  failed(reason: IoamctlError): void;
  /** The link's state is another now. */
  changed(): void;
}

/**
 * One destination, connected for as long as it can be. A session that ends is followed by another as
 * soon as `destination.retry` allows: its `first` lies between the beginnings of two attempts, doubled
 * with each that fails, up to `most`.
 */
export class Link {
  readonly #destination: Destination;
  readonly #observer: LinkObserver;
  readonly #closing = new AbortController();
  readonly #waiting = new Set<() => void>();
  #transport: Transport | undefined;
  #state: LinkState = "connecting";
  #attempts = 0;
  #lastError: IoamctlError | undefined;
  #pause: NodeJS.Timeout | undefined;
  /** Ends what #run waits for. */
  #interrupt: () => void = () => {};

  constructor(destination: Destination, observer: LinkObserver) {
    this.#destination = destination;
    this.#observer = observer;
    void this.#run();
  }

  get state(): LinkState {
    return this.#state;
  }

  /** The present session's, while there is one. */
  get transport(): Transport | undefined {
    return this.#transport;
  }

  /** Why the last attempt failed or the last session ended; cleared by the next session. */
  get lastError(): IoamctlError | undefined {
    return this.#lastError;
  }

  /** Whether an attempt has succeeded or failed by now. */
  get tried(): boolean {
    return this.#attempts > 0;
  }

  /**
   * Settles when the link's state changes, or `signal` aborts, or `until` settles. Keeps the process
   * alive meanwhile.
   */
  change(signal?: AbortSignal, until?: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal?.removeEventListener("abort", done);
        if (this.#waiting.size === 0) this.#pause?.unref();
        resolve();
      };
      if (signal?.aborted || this.#state === "closed") return resolve();
      this.#waiting.add(done);
      this.#pause?.ref();
      signal?.addEventListener("abort", done);
      void until?.then(done, done);
    });
  }

  /** Ends the session and begins no other. Safe to repeat; settles when the transport is closed. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#pause);
    this.#interrupt();
    const transport = this.#transport;
    this.#transport = undefined;
    this.#setState("closed");
    await transport?.close();
  }

  async #run(): Promise<void> {
    const { first, most } = this.#destination.retry;
    const { signal } = this.#closing;
    let gap = first;
    while (!signal.aborted) {
      const began = performance.now();
      this.#setState("connecting");
      const transport = await this.#connect();
      if (transport !== undefined) {
        const reason = await this.#last(transport);
        if (signal.aborted) return;
        gap = first;
        if (reason === undefined) continue;
      }
      if (signal.aborted) return;
      await this.#waitUntil(began + gap);
      gap = transport === undefined ? Math.min(2 * gap, Math.max(first, most)) : first;
    }
  }

  async #connect(): Promise<Transport | undefined> {
    let transport: Transport | undefined;
    const { signal } = this.#closing;
    try {
      transport = await this.#destination.connect(signal);
      if (signal.aborted) throw sessionClosed();
      this.#observer.opened(transport);
    } catch (error) {
      void transport?.close();
      if (signal.aborted) return undefined;
      this.#attempts++;
      this.#lastError = asIoamctlError(error);
      this.#observer.failed(this.#lastError);
      return undefined;
    }
    this.#attempts++;
    this.#lastError = undefined;
    this.#transport = transport;
    this.#setState("connected");
    return transport;
  }

  /** The reason why a session ended. */
  async #last(transport: Transport): Promise<IoamctlError | undefined> {
    const { signal } = this.#closing;
    const interrupted = new Promise<undefined>((resolve) => {
      this.#interrupt = () => resolve(undefined);
    });
    const reason = await Promise.race([transport.ended, interrupted]);
    if (signal.aborted) return undefined;
    this.#transport = undefined;
    void transport.close();
    this.#lastError = reason;
    return reason;
  }

  #waitUntil(time: number): Promise<void> {
    this.#setState("waiting");
    return new Promise((resolve) => {
      this.#pause = setTimeout(resolve, Math.max(0, time - performance.now()));
      // Only somebody who waits for the connection keeps the process alive.
      if (this.#waiting.size === 0) this.#pause.unref();
      this.#interrupt = resolve;
    });
  }

  #setState(state: LinkState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#observer.changed();
    for (const tell of [...this.#waiting]) tell();
  }
}

/** What is refused after `close`. */
export function sessionClosed(): IoamctlError {
  return new IoamctlError("SESSION_CLOSED", "the IPFIX session is closed: open another");
}

/** Any error of a transport as one of ours, under its own code. */
export function asIoamctlError(error: unknown): IoamctlError {
  if (error instanceof IoamctlError) return error;
  const { code, name, message } = error as Error & { code?: string };
  if (name === "AbortError") return sessionClosed();
  return new IoamctlError(code ?? "EIO", message, { cause: error });
}
