// Starts bench/event-listener.ts on a CPU and asks it what it has taken.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { eventually } from "../test/lab/eventually.ts";
import type { Taken } from "./event-listener.ts";

const SCRIPT = fileURLToPath(new URL("event-listener.ts", import.meta.url));

export class ListenerProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts it, all its threads on one CPU; with a port it exports. It listens when this returns. */
  static async start(netns: string, cpu: number, port?: number): Promise<ListenerProcess> {
    const args = port === undefined ? [netns] : [netns, String(port)];
    const node = [process.execPath, ...process.execArgv, SCRIPT, ...args];
    const child = spawn("taskset", ["-c", String(cpu), ...node], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const ready = once(child, "message");
    const end = once(child, "exit").then(() => Promise.reject(new Error("the listener ended")));
    await Promise.race([ready, end]);
    end.catch(() => undefined);
    return new ListenerProcess(child);
  }

  async taken(): Promise<Taken> {
    const answer = once(this.#child, "message");
    this.#child.send("taken?");
    return (await answer)[0] as Taken;
  }

  /** Waits until so many events were taken or dropped in all. */
  async accounted(count: number): Promise<Taken> {
    const taken = await eventually(
      `${count} events`,
      async () => {
        const now = await this.taken();
        return now.events + now.drops + now.malformed >= count && now;
      },
      { every: 20 },
    );
    const sum = taken.events + taken.drops + taken.malformed;
    if (sum !== count) throw new Error(`${count} events were sent, ${sum} are accounted for`);
    return taken;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.disconnect();
    await ended;
  }
}
