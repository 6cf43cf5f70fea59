// A program that sends records as it is told, on the measured CPU, and the receiver that counts them.

import { createInterface } from "node:readline";
import { Background } from "../test/lab/process.ts";
import { MEASURED_CPU } from "./cpus.ts";
import type { Receiver } from "./receiver.ts";

export class Sender {
  readonly #process: Background;
  readonly #lines: AsyncIterator<string>;
  readonly #receiver: Receiver | undefined;
  #sent = 0;

  private constructor(
    process: Background,
    lines: AsyncIterator<string>,
    receiver: Receiver | undefined,
  ) {
    this.#process = process;
    this.#lines = lines;
    this.#receiver = receiver;
  }

  /** Starts a program, all its threads on the measured CPU. */
  static async start(command: string[], receiver?: Receiver): Promise<Sender> {
    const process = new Background("taskset", ["-c", String(MEASURED_CPU), ...command]);
    const lines = createInterface({ input: process.child.stdout! })[Symbol.asyncIterator]();
    const sender = new Sender(process, lines, receiver);
    await sender.#line();
    return sender;
  }

  /**
   * Has it send `count` records, and waits until they have arrived. Gives nanoseconds of CPU time a
   * record, the kernel's part included: on a CPU of its own the time that passes.
   */
  async send(mode: string, count: number): Promise<number> {
    this.#process.child.stdin!.write(`${mode} ${count}\n`);
    const ns = Number(await this.#line());
    this.#sent += count;
    await this.#receiver?.caughtUp(this.#sent);
    return ns / count;
  }

  /** The first record that arrived, hexadecimal. */
  async firstRecord(): Promise<string | undefined> {
    return (await this.#receiver?.counts())?.first;
  }

  async stop(): Promise<void> {
    this.#process.child.stdin!.end();
    await this.#process.ended;
  }

  async #line(): Promise<string> {
    const line = await this.#lines.next();
    if (line.done) throw new Error(`the sender ended: ${this.#process.errors}`);
    return line.value;
  }
}
