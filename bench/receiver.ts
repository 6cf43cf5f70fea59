// The collector of the benchmarks: bench/programs/receiver.c, a process of its own on another CPU.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Dialogue } from "../test/lab/dialogue.ts";
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
  readonly #dialogue: Dialogue;
  readonly #gaps: number;
  readonly port: number;

  private constructor(dialogue: Dialogue, port: number, gaps: number) {
    this.#dialogue = dialogue;
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
    const dialogue = new Dialogue(new Background("taskset", command));
    return new Receiver(dialogue, Number(await dialogue.listen()), gaps);
  }

  async counts(): Promise<Received> {
    return JSON.parse(await this.#dialogue.ask()) as Received;
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
    await this.#dialogue.end();
  }
}
