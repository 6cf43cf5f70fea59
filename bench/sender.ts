// A program that sends records as it is told, on the measured CPU, and the receiver that counts them.

import { Dialogue } from "../test/lab/dialogue.ts";
import { Background } from "../test/lab/process.ts";
import { MEASURED_CPU } from "./cpus.ts";
import type { Receiver } from "./receiver.ts";

export class Sender {
  readonly #dialogue: Dialogue;
  readonly #receiver: Receiver | undefined;
  #sent = 0;

  private constructor(dialogue: Dialogue, receiver: Receiver | undefined) {
    this.#dialogue = dialogue;
    this.#receiver = receiver;
  }

  /** Starts a program, all its threads on the measured CPU. */
  static async start(command: string[], receiver?: Receiver): Promise<Sender> {
    const process = new Background("taskset", ["-c", String(MEASURED_CPU), ...command]);
    const dialogue = new Dialogue(process);
    await dialogue.listen(); // it is ready
    return new Sender(dialogue, receiver);
  }

  /**
   * Has it send `count` records, and waits until they have arrived. Gives nanoseconds of CPU time a
   * record, the kernel's part included: on a CPU of its own the time that passes.
   */
  async send(mode: string, count: number): Promise<number> {
    const ns = Number(await this.#dialogue.ask(`${mode} ${count}`));
    this.#sent += count;
    await this.#receiver?.caughtUp(this.#sent);
    return ns / count;
  }

  /** The first record that arrived, hexadecimal. */
  async firstRecord(): Promise<string | undefined> {
    return (await this.#receiver?.counts())?.first;
  }

  async stop(): Promise<void> {
    await this.#dialogue.end();
  }
}
