// A transport that keeps the messages, and misbehaves as a test asks.
import { IoamctlError } from "../../../src/errors.ts";
import type { Destination, Transport } from "../../../src/ipfix/index.ts";

/** What one call of `send` does: octets of messages to take at most, an errno's name, or a promise. */
export type Behaviour = number | string;

export class MemoryTransport implements Transport {
  readonly headerLength = 28;
  reliable = false;
  takesWithdrawals = false;
  readonly ended: Promise<IoamctlError | undefined>;
  /** Ends the session from the other side. */
  end: (reason: IoamctlError | undefined) => void = () => {};
  readonly messages: Uint8Array[] = [];
  /** When each message came, in steady milliseconds. */
  readonly times: number[] = [];
  /** Messages of each call. */
  readonly calls: number[] = [];
  /** What the next calls do; none left: they take everything. */
  readonly behaviours: Behaviour[] = [];
  mtu: number | undefined = 1500;
  waits = 0;
  closed = false;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  /** This one session, and no other after it. */
  get destination(): Destination {
    return destinationOf(async () => this);
  }

  pathMtu(): number | undefined {
    return this.mtu;
  }

  send(buffer: Uint8Array, offset: number, length: number, messageLength: number): number {
    if (this.closed) throw new IoamctlError("EBADF", "closed");
    const behaviour = this.behaviours.shift() ?? Number.POSITIVE_INFINITY;
    if (typeof behaviour === "string") throw new IoamctlError(behaviour, `send: ${behaviour}`);
    let taken = 0;
    let messages = 0;
    while (taken < length && messages < behaviour) {
      const end = Math.min(taken + messageLength, length);
      this.messages.push(buffer.slice(offset + taken, offset + end));
      this.times.push(performance.now());
      taken = end;
      messages++;
    }
    this.calls.push(messages);
    return taken;
  }

  async writable(): Promise<void> {
    this.waits++;
  }

  close(): void {
    this.closed = true;
  }
}

/** A destination whose sessions `connect` makes; attempts follow each other at once. */
export function destinationOf(
  connect: (signal: AbortSignal) => Promise<Transport>,
  retry: Destination["retry"] = { first: 0, most: 0 },
): Destination {
  return { name: "memory", connect, retry };
}
