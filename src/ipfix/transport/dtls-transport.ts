// A transport session over DTLS (RFC 7011 sections 10.3 and 11): unreliable, as UDP, and encrypted.
import type { IoamctlError } from "../../errors.ts";
import { type DtlsSession, MAX_DTLS_MESSAGE } from "../../native/dtls.ts";
import { sessionFailure } from "./dtls-failure.ts";
import type { Peer, Transport } from "./transport.ts";

/** Sends over an open session. */
export class DtlsTransport implements Transport {
  readonly headerLength: number;
  readonly reliable = false;
  readonly peer: Peer;
  readonly ended: Promise<IoamctlError | undefined>;
  readonly #session: DtlsSession;
  readonly #closing = new AbortController();
  #settle: (reason: IoamctlError | undefined) => void = () => {};
  #lifetime: NodeJS.Timeout | undefined;
  #isOver = false;

  /** `name` is the destination's. */
  constructor(session: DtlsSession, name: string, peer: Peer) {
    this.#session = session;
    this.peer = peer;
    this.headerLength = session.headerLength;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
    void session.over.then((failure) => this.#end(sessionFailure(name, failure)));
  }

  /**
   * Has the session end after `lifetime` milliseconds (Infinity: never): in order once `renew` has
   * begun another, else with the reason why it could not.
   */
  limit(lifetime: number, renew: (closing: AbortSignal) => Promise<void>): void {
    if (lifetime === Number.POSITIVE_INFINITY) return;
    const end = (reason?: IoamctlError): void => this.#end(reason);
    this.#lifetime = setTimeout(() => {
      void renew(this.#closing.signal).then(() => end(), end);
    }, lifetime).unref();
  }

  /** Whether it has ended or was closed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  pathMtu(): number | undefined {
    const mtu = this.#session.pathMtu();
    return mtu === undefined ? undefined : Math.min(mtu, MAX_DTLS_MESSAGE + this.headerLength);
  }

  send(buffer: Uint8Array, offset: number, length: number, messageLength: number): number {
    return this.#session.send(buffer, offset, length, messageLength);
  }

  writable(): Promise<void> {
    return this.#session.writable();
  }

  /** Tells the collector that nothing more comes. */
  close(): void {
    this.#isOver = true;
    clearTimeout(this.#lifetime);
    this.#closing.abort();
    this.#session.close();
  }

  #end(reason: IoamctlError | undefined): void {
    this.#isOver = true;
    this.#settle(reason);
  }
}
