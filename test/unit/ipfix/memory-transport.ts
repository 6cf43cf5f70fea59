// A transport that keeps the messages, and misbehaves as a test asks.
import { IoamctlError } from "../../../src/errors.ts";
import type { Transport } from "../../../src/ipfix/index.ts";

/** What one call of `send` does: octets of messages to take at most, an errno's name, or a promise. */
export type Behaviour = number | string;

export class MemoryTransport implements Transport {
  readonly headerLength = 28;
  readonly reliable = false;
  readonly ended = new Promise<never>(() => {});
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
