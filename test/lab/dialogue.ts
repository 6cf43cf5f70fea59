// A program in the background that is spoken to by lines: for each that it reads it says one.
import { createInterface } from "node:readline";
import type { Background } from "./process.ts";

export class Dialogue {
  readonly process: Background;
  readonly #lines: AsyncIterator<string>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(process: Background) {
    this.process = process;
    this.#lines = createInterface({ input: process.child.stdout! })[Symbol.asyncIterator]();
  }

  /** What it says unasked, as at its start; fails with its standard error if it has ended. */
  async listen(): Promise<string> {
    const line = await this.#lines.next();
    if (!line.done) return line.value;
    await this.process.ended;
    throw new Error(`${this.process.command} ended: ${this.process.errors}`);
  }

  /** Says a line and gives the answer; one that is asked meanwhile waits its turn. */
  ask(line = ""): Promise<string> {
    const answer = this.#last.then(() => {
      this.process.child.stdin!.write(`${line}\n`);
      return this.listen();
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  /** Ends its input and waits until it has ended for that. */
  async end(): Promise<void> {
    this.process.child.stdin!.end();
    await this.process.ended;
  }
}
