// A collector of openssl's own making, over TLS or DTLS, that wants a certificate of its clients.
import { writeFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import type { Identity } from "./certificates.ts";
import { eventually } from "./eventually.ts";
import { listeningPort } from "./listening-port.ts";
import type { Netns } from "./netns.ts";
import { Background } from "./process.ts";

export type Version = "tls1_3" | "tls1_2" | "tls1_1" | "dtls1_2" | "dtls1";

export interface OpensslServerOptions {
  /** The only version that it speaks. */
  version: Version;
  identity: Identity;
  /** File of the authorities of its clients' certificates. */
  ca: string;
  /** To bind to: 127.0.0.1 unless told. */
  address?: string;
  /** Any free one unless told. */
  port?: number;
  /** Where it runs: here unless told. */
  netns?: Netns;
  /** More arguments of `openssl s_server`. */
  args?: readonly string[];
}

export class OpensslServer {
  readonly version: Version;
  readonly address: string;
  readonly port: number;
  readonly process: Background;
  readonly #chunks: Buffer[];

  private constructor(
    version: Version,
    address: string,
    port: number,
    process: Background,
    chunks: Buffer[],
  ) {
    this.version = version;
    this.address = address;
    this.port = port;
    this.process = process;
    this.#chunks = chunks;
  }

  /** Starts it; it listens when this returns. */
  static async start(o: OpensslServerOptions): Promise<OpensslServer> {
    const address = o.address ?? "127.0.0.1";
    const host = isIPv6(address) ? `[${address}]` : address;
    const args = [
      ...["s_server", "-quiet", "-accept", `${host}:${o.port ?? 0}`, `-${o.version}`],
      ...["-cert", o.identity.cert, "-key", o.identity.key, "-CAfile", o.ca],
      ...["-Verify", "1", "-verify_return_error"],
      // Versions before 1.2 sign with SHA-1, which no level above 0 allows.
      ...(o.version === "tls1_1" || o.version === "dtls1" ? ["-cipher", "ALL:@SECLEVEL=0"] : []),
      ...(o.args ?? []),
    ];
    const process = o.netns?.start("openssl", args) ?? new Background("openssl", args);
    const chunks: Buffer[] = [];
    process.child.stdout?.on("data", (data: Buffer) => chunks.push(data));
    const transport = o.version.startsWith("dtls") ? "udp" : "tcp";
    try {
      const port = await listeningPort(process, transport);
      return new OpensslServer(o.version, address, port, process, chunks);
    } catch (error) {
      await process.stop("SIGKILL");
      throw error;
    }
  }

  /** Everything that its clients have sent, one behind the other; it serves one after another. */
  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** What it says about its clients and their certificates. */
  get log(): string {
    return this.process.errors;
  }

  /** Waits for so many octets, and writes all that there are to a file, for others to decode. */
  async receivedIn(file: string, octets: number): Promise<string> {
    await eventually(`${octets} octets at openssl`, () => this.received.length >= octets);
    await writeFile(file, this.received);
    return file;
  }

  async close(): Promise<void> {
    // It may be stopped (SIGSTOP), and then takes no other signal.
    await this.process.stop("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
