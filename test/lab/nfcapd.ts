// nfcapd as a collector: what it stored, read by nfdump, and what it complained about.
import { eventually } from "./eventually.ts";
import { type Folder, temporaryFolder } from "./guard.ts";
import { Background, run } from "./process.ts";
import { freeUdpPort, udpQueue } from "./udp-port.ts";

export interface NfcapdResult {
  /** As `nfdump -o json` prints them; none where they were not asked for. */
  flows: Record<string, string | number>[];
  packets: number;
  octets: number;
  sequenceErrors: number;
  badPackets: number;
  /** All it said. */
  log: string;
}

const ADDRESS = "127.0.0.1";
const RECEIVE_BUFFER = 4_000_000;

export class Nfcapd {
  readonly port: number;
  readonly target: string;
  /** Octets that it asks the kernel for. */
  readonly receiveBuffer = RECEIVE_BUFFER;
  readonly #process: Background;
  readonly #folder: Folder;

  private constructor(port: number, process: Background, folder: Folder) {
    this.port = port;
    this.target = `${ADDRESS}:${port}`;
    this.#process = process;
    this.#folder = folder;
  }

  /** Starts one; it listens when this returns. */
  static async start(): Promise<Nfcapd> {
    const folder = await temporaryFolder("nfcapd");
    const port = await freeUdpPort(ADDRESS);
    const args = [
      "-b",
      ADDRESS,
      "-p",
      String(port),
      "-w",
      folder.path,
      "-t",
      "3600",
      "-B",
      String(RECEIVE_BUFFER),
    ];
    const process = new Background("nfcapd", args);
    const nfcapd = new Nfcapd(port, process, folder);
    try {
      await process.until(/Startup nfcapd/);
      return nfcapd;
    } catch (error) {
      await nfcapd.#remove();
      throw error;
    }
  }

  /** Ends it when it has read everything, and says what it got; its `flows` unless told. */
  async stop(o: { flows?: boolean } = {}): Promise<NfcapdResult> {
    try {
      await eventually("nfcapd has read all", async () => (await udpQueue(this.port)) === 0);
      const { stdout, stderr, code } = await this.#process.stop();
      const log = stdout + stderr;
      const number = (name: string) =>
        [...log.matchAll(new RegExp(`^Ident: .*, ${name}: (\\d+)`, "gm"))].reduce(
          (sum, match) => sum + Number(match[1]),
          0,
        );
      if (code !== 0) throw new Error(`nfcapd: ${code}: ${log}`);
      return {
        flows: o.flows === false ? [] : await this.#flows(),
        packets: number("Packets"),
        octets: number("Bytes"),
        sequenceErrors: number("Sequence Errors"),
        badPackets: number("Bad Packets"),
        log,
      };
    } finally {
      await this.#remove();
    }
  }

  async #flows(): Promise<NfcapdResult["flows"]> {
    const { stdout } = await run("nfdump", ["-R", this.#folder.path, "-o", "json"]);
    return JSON.parse(stdout || "[]") as NfcapdResult["flows"];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#remove();
  }

  async #remove(): Promise<void> {
    await this.#process.stop("SIGKILL");
    await this.#folder.remove();
  }
}
