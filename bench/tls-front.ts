// Starts bench/tls-terminator.ts before a receiver, on the receivers' CPU.

import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Background } from "../test/lab/process.ts";
import { OTHER_CPU } from "./cpus.ts";

const SCRIPT = fileURLToPath(new URL("tls-terminator.ts", import.meta.url));

export class TlsFront {
  readonly #process: Background;
  readonly port: number;

  private constructor(process: Background, port: number) {
    this.#process = process;
    this.port = port;
  }

  /** `files`: of CA, certificate and key; `port`: the receiver's. */
  static async start(files: readonly string[], port: number): Promise<TlsFront> {
    const node = [process.execPath, ...process.execArgv, SCRIPT, ...files, String(port)];
    const front = new Background("taskset", ["-c", String(OTHER_CPU), ...node]);
    const lines = createInterface({ input: front.child.stdout! });
    const first = await lines[Symbol.asyncIterator]().next();
    if (first.done) throw new Error(`the front ended: ${front.errors}`);
    return new TlsFront(front, Number(first.value));
  }

  async stop(): Promise<void> {
    this.#process.child.stdin!.end();
    await this.#process.ended;
  }
}
