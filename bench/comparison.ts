// The exporting process and go-ipfix side by side: the same records, in turn, from their layout to the socket.

import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Authority } from "../test/lab/certificates.ts";
import { buildGoIpfix, type GoIpfixVersion } from "./go-ipfix.ts";
import { Receiver, type ReceiverOptions } from "./receiver.ts";
import type { Measurements } from "./result.ts";
import { Sender } from "./sender.ts";
import { TlsFront } from "./tls-front.ts";

const ADDRESS = "127.0.0.1";
const WARM_UP = 4;
const ROUNDS = 15;

/** Milliseconds until the receiver of the sender before has come to rest. */
const REST = 30;

/** How records are sent and received; `suffix`: of the figures' names. */
interface Way {
  suffix: string;
  transport: "udp" | "tcp" | "tls";
  receiver: ReceiverOptions;
}

const WAYS: readonly Way[] = [
  { suffix: "", transport: "udp", receiver: { transport: "udp-gro" } },
  { suffix: ".single", transport: "udp", receiver: { transport: "udp" } },
  { suffix: ".tcp", transport: "tcp", receiver: { transport: "tcp" } },
  // What decrypts needs the receiver's CPU.
  { suffix: ".tls", transport: "tls", receiver: { transport: "tcp", sleeps: true } },
];

/** An exporter; `records`: of one measurement, about as long for each. */
interface Contender {
  name: string;
  mode: string;
  records: number;
  version?: GoIpfixVersion;
  /** Sequence numbers that it gets wrong. */
  gaps?: number;
}

const OURS: Contender = { name: "record", mode: "export", records: 409_600 };

const OTHERS: readonly Contender[] = [
  { name: "goipfix", mode: "buffered", records: 300_000, version: "0.17" },
  // It counts the records of a message before it, so that the first one's number is wrong.
  { name: "goipfix.sendset.10", mode: "sendset.10", records: 150_000, version: "0.8.1", gaps: 1 },
  { name: "goipfix.sendset.1", mode: "sendset.1", records: 50_000, version: "0.8.1", gaps: 1 },
];

/** Stops something that was started. */
type End = () => Promise<void>;

/** What runs the exporting process. */
const NODE: readonly string[] = [
  process.execPath,
  ...process.execArgv,
  fileURLToPath(new URL("record-sender.ts", import.meta.url)),
];

/** Measures the exporting process, and go-ipfix where it can be had; says so where it cannot. */
export async function compareExporters(m: Measurements): Promise<void> {
  const programs = new Map<GoIpfixVersion, string>();
  for (const version of ["0.17", "0.8.1"] as const) {
    try {
      programs.set(version, buildGoIpfix(version));
    } catch (error) {
      console.error(`go-ipfix ${version} is not measured: ${(error as Error).message}`);
    }
  }
  const contenders = [OURS, ...OTHERS.filter(({ version }) => programs.has(version!))];
  for (const way of WAYS) await compare(m, way, contenders, programs);
  await measureEncoding(m);
}

async function compare(
  m: Measurements,
  way: Way,
  contenders: readonly Contender[],
  programs: ReadonlyMap<GoIpfixVersion, string>,
): Promise<void> {
  const ends: End[] = [];
  try {
    const files = way.transport === "tls" ? await certificates(ends) : [];
    const senders = new Map<Contender, Sender>();
    for (const contender of contenders) {
      const program = programs.get(contender.version!);
      senders.set(contender, await start(ends, way, contender, program, files));
    }
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      let ours = 0;
      for (const [{ name, mode, records }, sender] of senders) {
        const ns = await sender.send(mode, records);
        await sleep(REST);
        if (name === OURS.name) ours = ns;
        if (round < 0) continue; // compiled by the engine before anything is measured
        m.add(`export.${name}${way.suffix}`, "ns/record", ns);
        if (name !== OURS.name) m.add(`export.ratio.${name}${way.suffix}`, "×", ns / ours);
      }
    }
    const firsts = await Promise.all([...senders.values()].map((sender) => sender.firstRecord()));
    if (new Set(firsts).size !== 1) throw new Error(`different records were sent: ${firsts}`);
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

/** Starts a sender and what it sends to. */
async function start(
  ends: End[],
  { transport, receiver: options }: Way,
  { gaps = 0 }: Contender,
  program: string | undefined,
  files: readonly string[],
): Promise<Sender> {
  const receiver = await Receiver.start({ ...options, address: ADDRESS, gaps });
  ends.push(() => receiver.stop());
  let { port } = receiver;
  if (transport === "tls") {
    const front = await TlsFront.start(files, port);
    ends.push(() => front.stop());
    port = front.port;
  }
  const command =
    program === undefined
      ? [...NODE, transport, ADDRESS, String(port), ...files]
      : [program, transport, `${ADDRESS}:${port}`, ...files];
  const sender = await Sender.start(command, receiver);
  ends.push(() => sender.stop());
  return sender;
}

/** Files of CA, certificate and key, for either side. */
async function certificates(ends: End[]): Promise<string[]> {
  const authority = await Authority.create();
  ends.push(() => authority.close());
  const { cert, key } = await authority.issue("both", { names: `IP:${ADDRESS}` });
  return [authority.cert, cert, key];
}

/** Of the whole: what is not the transport's. */
async function measureEncoding(m: Measurements): Promise<void> {
  const sender = await Sender.start([...NODE, "none", ADDRESS, "0"]);
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const ns = await sender.send(OURS.mode, OURS.records);
    if (round >= 0) m.add("export.record.encode", "ns/record", ns);
  }
  await sender.stop();
}
