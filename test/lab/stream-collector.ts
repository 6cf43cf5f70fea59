// An IPFIX collector over TCP or TLS that keeps the messages, and misbehaves as a test asks.
import { fileURLToPath } from "node:url";
import type { Identity } from "./certificates.ts";
import { Dialogue } from "./dialogue.ts";
import { eventually } from "./eventually.ts";
import { type Folder, temporaryFolder } from "./guard.ts";
import type { Netns } from "./netns.ts";
import { Background } from "./process.ts";

const SCRIPT = fileURLToPath(new URL("stream-collector.py", import.meta.url));

/** One transport session. */
export interface StreamConnection {
  /** Of the exporter. */
  port: number;
  /** Its messages one after another (RFC 5655). */
  file: string;
  octets: number;
  /** "open", "ended" by the exporter, "close" or "reset" by the collector, or an error. */
  state: string;
}

export interface StreamCollectorOptions {
  /** To bind to: 127.0.0.1 unless told. */
  address?: string;
  /** Any free one unless told. */
  port?: number;
  /** Connections that the kernel takes before the collector does. */
  backlog?: number;
  /** False: the collector never takes one. */
  accept?: boolean;
  /** Octets of the sockets' receive buffer. */
  receiveBuffer?: number;
  /** TLS, with clients' certificates checked, and so many session tickets (2) over TLS 1.3. */
  tls?: Identity & { ca: string; tickets?: number };
  /** Where it listens: here unless told. */
  netns?: Netns;
}

type Order =
  | { command: "list" | "pause" | "resume" | "halfClose" | "close" | "reset" }
  | { command: "say"; text: string }
  | { command: "slow"; octets: number; seconds: number };

export class StreamCollector {
  readonly address: string;
  readonly port: number;
  readonly process: Background;
  readonly #dialogue: Dialogue;
  readonly #folder: Folder;

  private constructor(address: string, port: number, dialogue: Dialogue, folder: Folder) {
    this.address = address;
    this.port = port;
    this.process = dialogue.process;
    this.#dialogue = dialogue;
    this.#folder = folder;
  }

  /** Starts one; it listens when this returns. */
  static async start(o: StreamCollectorOptions = {}): Promise<StreamCollector> {
    const address = o.address ?? "127.0.0.1";
    const folder = await temporaryFolder("stream");
    const { netns, port = 0, ...rest } = o;
    const options = JSON.stringify({ ...rest, address, port, folder: folder.path });
    const args = ["-u", SCRIPT, options];
    const python = netns?.start("python3", args) ?? new Background("python3", args);
    const dialogue = new Dialogue(python);
    try {
      return new StreamCollector(address, Number(await dialogue.listen()), dialogue, folder);
    } catch (error) {
      await folder.remove();
      throw error;
    }
  }

  /** Has it do something, and gives its connections as they then are. */
  async order(order: Order): Promise<StreamConnection[]> {
    return JSON.parse(await this.#dialogue.ask(JSON.stringify(order))) as StreamConnection[];
  }

  /** Waits until a connection, the first unless told, is as asked for. */
  async connection(
    what: string,
    is: (connection: StreamConnection) => boolean,
    number = 0,
  ): Promise<StreamConnection> {
    return eventually(what, async () => {
      const one = (await this.order({ command: "list" }))[number];
      return one !== undefined && is(one) && one;
    });
  }

  /** Waits until a connection, the first unless told, has brought so many octets. */
  async received(octets: number, number = 0): Promise<StreamConnection> {
    return this.connection(`${octets} octets`, (one) => one.octets >= octets, number);
  }

  async close(): Promise<void> {
    // It may be stopped (SIGSTOP), and then takes no other signal.
    await this.process.stop("SIGKILL");
    await this.#folder.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
