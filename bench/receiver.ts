// The collector of the export benchmark: a process of its own on another CPU.

import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Background } from "../test/lab/process.ts";
import { OTHER_CPU } from "./cpus.ts";

const SCRIPT = fileURLToPath(new URL("receiver.py", import.meta.url));

/** What bench/receiver.py has seen so far. */
export interface Received {
  messages: number;
  templates: number;
  records: number;
  /** Sequence numbers that did not go on from the message before. */
  gaps: number;
  malformed: number;
}

export class Receiver {
  readonly #process: Background;
  readonly #lines: AsyncIterator<string>;
  readonly port: number;

  private constructor(process: Background, lines: AsyncIterator<string>, port: number) {
    this.#process = process;
    this.#lines = lines;
    this.port = port;
  }

  /**
   * Starts it for data records of that length, or of one for each template id; `gro`: takes in one
   * piece what was sent so.
   */
  static async start(
    recordOctets: number | Record<number, number>,
    gro: boolean,
  ): Promise<Receiver> {
    const script = ["python3", "-u", SCRIPT, JSON.stringify(recordOctets), ...(gro ? ["gro"] : [])];
    const process = new Background("taskset", ["-c", String(OTHER_CPU), ...script]);
    const lines = createInterface({ input: process.child.stdout! })[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done) throw new Error(`the receiver ended: ${process.errors}`);
    return new Receiver(process, lines, Number(first.value));
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
      if (counts.records === records && counts.gaps + counts.malformed === 0) return counts;
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
