// Decodes IPFIX with tshark, as UDP datagrams of a capture: field values and expert warnings.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "./guard.ts";
import { messages } from "./ipfix-messages.ts";
import { concat } from "./octets.ts";
import { packetOctets } from "./packet.ts";
import { run } from "./process.ts";

const PORT = 4739;

/** Values by tshark's field names; enterprise elements as hexadecimal digits in template order. */
export interface TsharkRecord {
  template: number;
  fields: Record<string, string>;
  enterprise: string[];
}

export interface TsharkResult {
  records: TsharkRecord[];
  /** Expert information about IPFIX of severity "warning" and above, sequence errors among it. */
  warnings: string[];
}

/** A capture file of Ethernet frames, all of one time. */
export function pcap(frames: Iterable<Uint8Array>): Uint8Array {
  const words = (...values: number[]): Uint8Array => new Uint8Array(new Uint32Array(values).buffer);
  const parts = [words(0xa1b2c3d4, 0x00040002, 0, 0, 0x40000, 1)];
  for (const frame of frames) parts.push(words(0, 0, frame.length, frame.length), frame);
  return concat(...parts);
}

type Tree = { [key: string]: string | string[] | Tree | Tree[] };

const WARNING = 0x600000;

function* trees(value: Tree[string]): Generator<Tree> {
  if (typeof value === "string") return;
  for (const one of Array.isArray(value) ? value : [value]) {
    if (typeof one !== "string") yield one;
  }
}

function collectWarnings(tree: Tree, warnings: string[]): void {
  for (const [key, value] of Object.entries(tree)) {
    for (const inner of trees(value)) {
      if (key === "_ws.expert" && Number(inner["_ws.expert.severity"]) >= WARNING) {
        warnings.push(String(inner["_ws.expert.message"]));
      }
      collectWarnings(inner, warnings);
    }
  }
}

function flatten(tree: Tree, into: TsharkRecord): void {
  for (const [key, value] of Object.entries(tree)) {
    if (key === "cflow.enterprise_private_entry") {
      into.enterprise = [value].flat().map((text) => String(text).replaceAll(":", ""));
    } else if (typeof value === "string") {
      into.fields[key] = value;
    } else {
      for (const inner of trees(value)) flatten(inner, into);
    }
  }
}

function readMessage(message: Tree, result: TsharkResult): void {
  collectWarnings(message, result.warnings);
  for (const [key, set] of Object.entries(message)) {
    const template = /^Set \d+ \[id=(\d+)\]/.exec(key);
    if (!template || typeof set === "string") continue;
    for (const tree of trees(set)) {
      for (const [name, flow] of Object.entries(tree)) {
        if (!/^Flow \d+( \[.*\])?$/.test(name)) continue;
        const record: TsharkRecord = { template: Number(template[1]), fields: {}, enterprise: [] };
        for (const inner of trees(flow)) flatten(inner, record);
        result.records.push(record);
      }
    }
  }
}

/**
 * What tshark prints of the messages of a file (RFC 5655), each as a datagram of one session, in a
 * format that `-T` knows.
 */
export async function runTshark(file: string, ...format: string[]): Promise<string> {
  const folder = await temporaryFolder("tshark");
  try {
    const frames = Array.from(messages(await readFile(file)), ({ octets }) =>
      packetOctets({
        link: {},
        layers: [
          { kind: "ipv6", source: "fd00:3::1", destination: "fd00:4::1" },
          { kind: "udp", sourcePort: 50000, destinationPort: PORT, payload: octets },
        ],
      }),
    );
    const capture = join(folder.path, "ipfix.pcap");
    await writeFile(capture, pcap(frames));
    const args = ["-r", capture, "-d", `udp.port==${PORT},cflow`, "-J", "cflow", "-T", ...format];
    return (await run("tshark", args, { timeout: 300_000 })).stdout;
  } finally {
    await folder.remove();
  }
}

/** Decodes the messages of a file (RFC 5655), each as a datagram of one session. */
export async function tshark(file: string): Promise<TsharkResult> {
  const stdout = await runTshark(file, "json", "--no-duplicate-keys");
  const packets = JSON.parse(stdout) as { _source: { layers: Record<string, Tree> } }[];
  const result: TsharkResult = { records: [], warnings: [] };
  for (const packet of packets) {
    const { cflow, "_ws.malformed": malformed } = packet._source.layers;
    if (malformed !== undefined) result.warnings.push("malformed packet");
    if (cflow === undefined) result.warnings.push("a datagram that is not IPFIX");
    else for (const message of trees(cflow)) readMessage(message, result);
  }
  return result;
}
