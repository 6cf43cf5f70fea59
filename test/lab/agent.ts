// The agent as an operator runs it: `ioamctl agent -c`, a process of its own.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.ts";
import { Background } from "./process.ts";

const IOAMCTL = fileURLToPath(new URL("../../bin/ioamctl", import.meta.url));

export class RunningAgent {
  readonly process: Background;
  readonly #folder: string;

  constructor(process: Background, folder: string) {
    this.process = process;
    this.#folder = folder;
  }

  /** SIGTERM: exports what there is and ends; its exit status. */
  async stop(): Promise<number | null> {
    this.process.child.kill("SIGTERM");
    const { code } = await this.process.ended;
    await rm(this.#folder, { recursive: true, force: true });
    return code;
  }

  /** SIGKILL: it has no say. */
  async kill(): Promise<void> {
    this.process.child.kill("SIGKILL");
    await this.process.ended;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/**
 * Starts the agent with this YAML configuration; it meters and listens when this returns. `node`: what
 * runs it, with arguments of its own.
 */
export async function startAgent(
  config: string,
  node: readonly string[] = ["node"],
): Promise<RunningAgent> {
  const folder = await mkdtemp(join(tmpdir(), "ioamt-agent-"));
  const file = join(folder, "agent.yaml");
  await writeFile(file, config);
  const [command, ...before] = node;
  const args = [...before, IOAMCTL, "agent", "-c", file, "--log-level", "info"];
  const process = new Background(command!, args);
  const agent = new RunningAgent(process, folder);
  let ended = false;
  void process.ended.then(() => {
    ended = true;
  });
  try {
    await eventually("the agent runs", () => {
      if (ended) throw new Error(`the agent ended: ${process.errors}`);
      return process.errors.includes('"msg":"running"');
    });
  } catch (error) {
    await agent.kill();
    throw error;
  }
  return agent;
}
