// An IPFIX collector over UDP that loses nothing and keeps the messages for others to decode.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Dialogue } from "./dialogue.ts";
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
  readonly #dialogue: Dialogue;
  readonly #folder: Folder;

  private constructor(address: string, port: number, dialogue: Dialogue, folder: Folder) {
    this.address = address;
    this.port = port;
    this.#dialogue = dialogue;
    this.#folder = folder;
  }

  /** Starts one; it listens when this returns. */
  static async start(o: CollectorOptions = {}): Promise<Collector> {
    const address = o.address ?? "::1";
    const folder = await temporaryFolder("collector");
    const args = ["-u", SCRIPT, address, String(o.port ?? 0), folder.path];
    const python = o.netns?.start("python3", args) ?? new Background("python3", args);
    const dialogue = new Dialogue(python);
    try {
      return new Collector(address, Number(await dialogue.listen()), dialogue, folder);
    } catch (error) {
      await folder.remove();
      throw error;
    }
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
  async senders(): Promise<Sender[]> {
    const answer = await this.#dialogue.ask();
    const { drops, senders } = JSON.parse(answer) as { drops: number; senders: Sender[] };
    if (drops > 0) throw new Error(`the collector lost ${drops} datagrams`);
    return senders;
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
    this.#dialogue.process.child.kill("SIGSTOP");
  }

  thaw(): void {
    this.#dialogue.process.child.kill("SIGCONT");
  }

  /** SIGKILL: what it has received is lost. */
  async kill(): Promise<void> {
    await this.#dialogue.process.stop("SIGKILL");
  }

  /** Stops it and removes its files. */
  async close(): Promise<void> {
    await this.#dialogue.process.stop();
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
