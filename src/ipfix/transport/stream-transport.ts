// A transport session over a stream socket, TCP or TLS: what both do.
import type { Socket } from "node:net";
import { IoamctlError } from "../../errors.ts";
import type { Peer, Transport } from "./transport.ts";

/** Milliseconds that `close` gives the collector to take what is left, and to close its side. */
const CLOSING = 1000;

/** Says in an IoamctlError what happened to a socket. */
export type Explain = (error: Error & { code?: string }) => IoamctlError;

/**
 * Sends over a socket from the moment it is connected. An idle one does not keep the process alive,
 * records on their way do. Whatever the collector sends is read and thrown away: it has nothing to
 * say, and octets left unread would make the kernel reset the connection when it is closed.
 */
export class StreamTransport implements Transport {
  readonly headerLength = 0;
  readonly reliable = true;
  readonly takesWithdrawals = true;
  readonly peer: Peer | undefined;
  readonly ended: Promise<IoamctlError | undefined>;
  readonly #socket: Socket;
  readonly #name: string;
  readonly #explain: Explain;
  #settle: (reason: IoamctlError | undefined) => void = () => {};
  #reason: IoamctlError | undefined;
  #closing: Promise<void> | undefined;
  #sending = 0;

  /** `name` is the destination's; `explain` is asked about failures that end the session. */
  constructor(socket: Socket, name: string, explain: Explain) {
    this.#socket = socket;
    const { remoteAddress: address, remotePort: port } = socket;
    if (address !== undefined && port !== undefined) this.peer = { address, port, protocol: "tcp" };
    this.#name = name;
    this.#explain = explain;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
    socket.on("error", (error) => this.#end(this.#explain(error)));
    // A collector that closes its half only is done too: it reads what is on its way, no more.
    socket.on("end", () => this.#end(this.#closedByPeer()));
    socket.on("close", () => this.#end(this.#closedByPeer()));
    if (socket.destroyed) this.#end(this.#closedByPeer());
    socket.resume();
    socket.unref();
  }

  pathMtu(): number {
    return 65535;
  }

  /** Settles when the kernel has taken all of it; rejects when the session ends before. */
  send(buffer: Uint8Array, offset: number, length: number): Promise<number> {
    if (this.#over) return Promise.reject(this.#failure());
    return new Promise((resolve, reject) => {
      if (this.#sending++ === 0) this.#socket.ref();
      this.#socket.write(buffer.subarray(offset, offset + length), (error) => {
        if (--this.#sending === 0 && !this.#over) this.#socket.unref();
        // Node reports no error for a write that was under way when the socket was destroyed.
        if (error || this.#socket.destroyed) reject(this.#failure(error ?? undefined));
        else resolve(length);
      });
    });
  }

  /** `send` waits itself. */
  async writable(): Promise<void> {}

  /** Sends what is left and the end of the stream; cuts the connection a second later. */
  close(): Promise<void> {
    this.#closing ??= this.#finish();
    return this.#closing;
  }

  get #over(): boolean {
    return this.#reason !== undefined || this.#closing !== undefined;
  }

  #end(reason: IoamctlError): void {
    if (this.#over) return;
    this.#reason = reason;
    this.#settle(reason);
    void this.close();
  }

  async #finish(): Promise<void> {
    const socket = this.#socket;
    if (socket.closed) return;
    const closed = new Promise((resolve) => socket.once("close", resolve));
    // Until it is closed: what was taken is to arrive, even if the process has no more to do.
    socket.ref();
    socket.end();
    const timer = setTimeout(() => socket.destroy(), CLOSING);
    await closed;
    clearTimeout(timer);
  }

  #failure(error?: Error & { code?: string }): IoamctlError {
    if (this.#reason !== undefined) return this.#reason;
    if (this.#closing !== undefined) return new IoamctlError("EBADF", "the socket is closed");
    return error === undefined ? this.#closedByPeer() : this.#explain(error);
  }

  #closedByPeer(): IoamctlError {
    return new IoamctlError(
      "COLLECTOR_CLOSED",
      `${this.#name}: the collector closed the connection: look at its log`,
    );
  }
}

const WHY: Readonly<Record<string, string>> = {
  ECONNRESET: "the collector reset the connection: look at its log",
  EPIPE: "the collector closed the connection: look at its log",
  ETIMEDOUT: "the collector does not answer any more: check the path to it",
};

/** What ended a TCP connection; the code is the errno's name. */
export function explainTcp(name: string): Explain {
  return (error) => {
    const code = error.code ?? "EIO";
    const why = WHY[code] ?? "the connection failed: check the path to the collector";
    return new IoamctlError(code, `${name}: ${code}: ${why}`, { cause: error });
  };
}
