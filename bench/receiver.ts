// The collector of the benchmarks: bench/programs/receiver.c, a process of its own on another CPU.

import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Background } from "../test/lab/process.ts";
import { OTHER_CPU } from "./cpus.ts";

const PROGRAM = fileURLToPath(new URL("../build/bench/receiver", import.meta.url));

/** What the receiver has seen so far. */
export interface Received {
  messages: number;
  templates: number;
  /** But those of options. */
  records: number;
  /** Sequence numbers that did not go on from the message before. */
  gaps: number;
  malformed: number;
  /** The first data record's octets, hexadecimal. */
  first: string;
}

export interface ReceiverOptions {
  /** "udp-gro": takes in one piece what was sent so. Default. */
  transport?: "udp" | "udp-gro" | "tcp";
  /** Of the loopback interface; default: ::1. */
  address?: string;
  /**
   * Sleeps as soon as there is nothing: where others need its CPU. Otherwise it looks for more, so that
   * no sender pays for waking it.
   */
  sleeps?: boolean;
  /** Sequence numbers that may be wrong: some exporters begin with a wrong one. Default: 0. */
  gaps?: number;
}

export class Receiver {
  readonly #process: Background;
  readonly #lines: AsyncIterator<string>;
  readonly #gaps: number;
  readonly port: number;

  private constructor(
    process: Background,
    lines: AsyncIterator<string>,
    port: number,
    gaps: number,
  ) {
    this.#process = process;
    this.#lines = lines;
    this.#gaps = gaps;
    this.port = port;
  }

  static async start(options: ReceiverOptions = {}): Promise<Receiver> {
    const { transport = "udp-gro", address = "::1", sleeps = false, gaps = 0 } = options;
    if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} does not exist: run make build`);
    const command = [
      "-c",
      String(OTHER_CPU),
      PROGRAM,
      transport,
      address,
      sleeps ? "sleeps" : "spins",
    ];
    const process = new Background("taskset", command);
    const lines = createInterface({ input: process.child.stdout! })[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done) throw new Error(`the receiver ended: ${process.errors}`);
    return new Receiver(process, lines, Number(first.value), gaps);
  }

  async counts(): Promise<Received> {
    this.#process.child.stdin!.write("\n");
    const line = await this.#lines.next();
    if (line.done) throw new Error(`the receiver ended: ${this.#process.errors}`);
    return JSON.parse(line.value) as Received;
  }

  /** Waits until it has counted so many records, or fails when some were lost. */
  async caughtUp(records: number): Promise<Received> {
    for (let before = -1; ; ) {
      const counts = await this.counts();
      const { gaps, malformed } = counts;
      if (counts.records === records && gaps <= this.#gaps && malformed === 0) return counts;
      if (counts.records === before) {
        throw new Error(`${records} records were sent, the receiver has ${JSON.stringify(counts)}`);
      }
      before = counts.records;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async stop(): Promise<void> {
    const ended = once(this.#process.child, "close");
    this.#process.child.stdin!.end();
    await ended;
  }
}
