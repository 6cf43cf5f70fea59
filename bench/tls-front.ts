// Starts bench/tls-terminator.ts before a receiver, on the receivers' CPU.

import { fileURLToPath } from "node:url";
import { Dialogue } from "../test/lab/dialogue.ts";
import { Background } from "../test/lab/process.ts";
import { OTHER_CPU } from "./cpus.ts";

const SCRIPT = fileURLToPath(new URL("tls-terminator.ts", import.meta.url));

export class TlsFront {
  readonly #dialogue: Dialogue;
  readonly port: number;

  private constructor(dialogue: Dialogue, port: number) {
    this.#dialogue = dialogue;
    this.port = port;
  }

  /** `files`: of CA, certificate and key; `port`: the receiver's. */
  static async start(files: readonly string[], port: number): Promise<TlsFront> {
    const node = [process.execPath, ...process.execArgv, SCRIPT, ...files, String(port)];
    const front = new Background("taskset", ["-c", String(OTHER_CPU), ...node]);
    const dialogue = new Dialogue(front);
    return new TlsFront(dialogue, Number(await dialogue.listen()));
  }

  async stop(): Promise<void> {
    await this.#dialogue.end();
  }
}
