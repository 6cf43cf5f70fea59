// An IPFIX collector over UDP that loses nothing and keeps the messages for others to decode.
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.ts";
import { type Folder, temporaryFolder } from "./guard.ts";
import { type MessageFacts, messageFacts } from "./ipfix-messages.ts";
import type { Netns } from "./netns.ts";
import { Background } from "./process.ts";

const SCRIPT = fileURLToPath(new URL("collector.py", import.meta.url));

/** One transport session: what came from one address and port. */
export interface Sender {
  address: string;
  port: number;
  /** Its messages one after another (RFC 5655). */
  file: string;
  datagrams: number;
  /** Octets of the longest message. */
  longest: number;
}

export interface CollectorOptions {
  /** To bind to: ::1 unless told. */
  address?: string;
  /** Any free one unless told. */
  port?: number;
  /** Where it listens: here unless told. */
  netns?: Netns;
}

export class Collector {
  readonly address: string;
  readonly port: number;
  readonly #python: Background;
  readonly #lines: AsyncIterator<string>;
  readonly #folder: Folder;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    address: string,
    port: number,
    python: Background,
    lines: AsyncIterator<string>,
    folder: Folder,
  ) {
    this.address = address;
    this.port = port;
    this.#python = python;
    this.#lines = lines;
    this.#folder = folder;
  }

  /** Starts one; it listens when this returns. */
  static async start(o: CollectorOptions = {}): Promise<Collector> {
    const address = o.address ?? "::1";
    const folder = await temporaryFolder("collector");
    const args = ["-u", SCRIPT, address, String(o.port ?? 0), folder.path];
    const python = o.netns?.start("python3", args) ?? new Background("python3", args);
    const lines = createInterface({ input: python.child.stdout! })[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done) {
      await python.ended;
      await folder.remove();
      throw new Error(`the collector did not start: ${python.errors}`);
    }
    return new Collector(address, Number(first.value), python, lines, folder);
  }

  /** As `--collector` wants it: "[::1]:4739". */
  get target(): string {
    return this.address.includes(":")
      ? `[${this.address}]:${this.port}`
      : `${this.address}:${this.port}`;
  }

  /**
   * Reads all that is there and says from whom. What was sent on this machine before the call is
   * in. Fails if the kernel dropped a datagram.
   */
  senders(): Promise<Sender[]> {
    const answer = this.#last.then(async () => {
      this.#python.child.stdin!.write("\n");
      const line = await this.#lines.next();
      if (line.done) throw new Error(`the collector ended: ${this.#python.errors}`);
      const { drops, senders } = JSON.parse(line.value) as { drops: number; senders: Sender[] };
      if (drops > 0) throw new Error(`the collector lost ${drops} datagrams`);
      return senders;
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  /** Waits for the one sender that there is, with at least so many messages. */
  async sender(datagrams = 1, timeout = 30_000): Promise<Sender> {
    return eventually(
      `${datagrams} messages`,
      async () => {
        const senders = await this.senders();
        if (senders.length > 1) throw new Error(`${senders.length} senders, not one`);
        return senders[0] !== undefined && senders[0].datagrams >= datagrams && senders[0];
      },
      { timeout, every: 20 },
    );
  }

  /** Messages, records and sequence gaps of all senders, each a session of its own. */
  async facts(): Promise<MessageFacts[]> {
    const senders = await this.senders();
    return Promise.all(senders.map(async (one) => messageFacts(await readFile(one.file))));
  }

  /** Stands still (SIGSTOP) until `thaw`. */
  freeze(): void {
    this.#python.child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#python.child.kill("SIGCONT");
  }

  /** SIGKILL: what it has received is lost. */
  async kill(): Promise<void> {
    await this.#python.stop("SIGKILL");
  }

  /** Stops it and removes its files. */
  async close(): Promise<void> {
    await this.#python.stop();
    await this.#folder.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** An IPFIX collector over UDP. */
export function collector(o: CollectorOptions = {}): Promise<Collector> {
  return Collector.start(o);
}
