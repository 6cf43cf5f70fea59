// nfacctd (pmacct) as a collector: what it counted, and what it complained about.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { type Folder, temporaryFolder } from "./guard.ts";
import type { ForeignElement } from "./ipfixdump.ts";
import { Background } from "./process.ts";
import { freeUdpPort, udpQueue } from "./udp-port.ts";

export interface NfacctdOptions {
  /** pmacct's names of what it keys by. */
  aggregate?: string[];
  /** Elements by which it keys too, under their names in lower case; `length` in octets. */
  elements?: readonly (ForeignElement & { length: number })[];
  /**
   * Octets of the ring buffer from its core to its plugin, which does not wait and says nothing when
   * the plugin is too slow: 4 MB unless told.
   */
  pipe?: number;
}

export interface NfacctdResult {
  /** Aggregated by the keys, with `packets` and `bytes`. */
  flows: Record<string, string | number>[];
  /** Warnings, errors and sequence gaps in its log: none is right. */
  complaints: string[];
  log: string;
}

const ADDRESS = "127.0.0.1";
const RECEIVE_BUFFER = 4_000_000;
const KEYS = ["src_host", "dst_host", "src_port", "dst_port", "proto", "in_iface"];

/** nfacctd takes no element number 0. */
function primitives(elements: readonly (ForeignElement & { length: number })[]): string {
  return elements
    .map(({ name, enterprise, id, type, length }) => {
      const semantics = type.startsWith("unsigned") && length !== 3 ? "u_int" : "raw";
      const field = enterprise === 0 ? `${id}` : `${enterprise}:${id}`;
      return `name=${name.toLowerCase()} field_type=${field} len=${length} semantics=${semantics}\n`;
    })
    .join("");
}

/** Adds up the lines of one flow: it writes those of each second apart. */
function sumFlows(text: string): NfacctdResult["flows"] {
  const flows = new Map<string, Record<string, string | number>>();
  for (const line of text.split("\n").filter((one) => one !== "")) {
    const { packets, bytes, ...key } = JSON.parse(line) as Record<string, string | number>;
    const flow = flows.get(JSON.stringify(key)) ?? { ...key, packets: 0, bytes: 0 };
    flow.packets = Number(flow.packets) + Number(packets);
    flow.bytes = Number(flow.bytes) + Number(bytes);
    flows.set(JSON.stringify(key), flow);
  }
  return [...flows.values()];
}

export class Nfacctd {
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
  static async start(o: NfacctdOptions = {}): Promise<Nfacctd> {
    const folder = await temporaryFolder("nfacctd");
    const port = await freeUdpPort(ADDRESS);
    const elements = (o.elements ?? []).filter((element) => element.id !== 0);
    const keys = [...(o.aggregate ?? KEYS), ...elements.map(({ name }) => name.toLowerCase())];
    await writeFile(join(folder.path, "primitives"), primitives(elements));
    const lines = [
      "daemonize: false",
      `nfacctd_ip: ${ADDRESS}`,
      `nfacctd_port: ${port}`,
      "nfacctd_disable_checks: false",
      `nfacctd_pipe_size: ${RECEIVE_BUFFER}`,
      "plugins: print[out]",
      ...(o.pipe === undefined ? [] : [`plugin_pipe_size: ${o.pipe}`]),
      `aggregate_primitives: ${join(folder.path, "primitives")}`,
      `aggregate[out]: ${keys.join(",")}`,
      "print_output[out]: json",
      `print_output_file[out]: ${join(folder.path, "flows.json")}`,
      "print_output_file_append[out]: true",
      "print_refresh_time[out]: 1",
      "print_cache_entries[out]: 65537",
    ];
    await writeFile(join(folder.path, "nfacctd.conf"), `${lines.join("\n")}\n`);
    const process = new Background("nfacctd", ["-f", join(folder.path, "nfacctd.conf")]);
    const nfacctd = new Nfacctd(port, process, folder);
    try {
      await process.until(/waiting for NetFlow\/IPFIX data/);
      // What comes before its plugin is ready may be lost without a word.
      await process.until(/setting object handlers/);
      return nfacctd;
    } catch (error) {
      await nfacctd.#remove();
      throw error;
    }
  }

  /** Ends it when it has read and written everything, and says what it got. */
  async stop(): Promise<NfacctdResult> {
    try {
      await eventually("nfacctd has read all", async () => (await udpQueue(this.port)) === 0);
      // Its core hands over to its plugin, which writes once a second: until there was nothing
      // more to write, but not before the third time.
      const written = () => [...this.#process.log.matchAll(/Purging cache - END.* QN: (\d+)/g)];
      const before = written().length;
      await eventually(
        "nfacctd has written all",
        () => written().length >= before + 3 && written().at(-1)?.[1] === "0",
        { every: 50 },
      );
      await this.#process.stop("SIGINT", 30_000);
      const { log } = this.#process;
      const text = await readFile(join(this.#folder.path, "flows.json"), "utf8").catch(() => "");
      return {
        flows: sumFlows(text),
        complaints: log.split("\n").filter((line) => /WARN|ERROR|expecting flow/.test(line)),
        log,
      };
    } finally {
      await this.#remove();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#remove();
  }

  async #remove(): Promise<void> {
    await this.#process.stop("SIGKILL");
    await this.#folder.remove();
  }
}
