// Runs other programs for the tests: to their end, or in the background and stopped by pid.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { guarded, released } from "./guard.ts";

export interface RunOptions {
  /** Network namespace to run in. */
  netns?: string | undefined;
  /** Standard input. */
  input?: string;
  /** Milliseconds until it is killed: 60 000 unless told. */
  timeout?: number;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** False: an exit status other than 0 does not throw. */
  check?: boolean;
}

export interface RunResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** `ip netns exec` replaces itself by the command, so the pid is the command's own. */
function inNetns(command: string, args: string[], netns: string | undefined): [string, string[]] {
  return netns === undefined ? [command, args] : ["ip", ["netns", "exec", netns, command, ...args]];
}

/** Runs a program to its end; throws with its standard error if it fails. */
export async function run(command: string, args: string[], o: RunOptions = {}): Promise<RunResult> {
  const child = spawn(...inNetns(command, args, o.netns), {
    env: o.env ?? process.env,
    cwd: o.cwd,
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (data: Buffer) => out.push(data));
  child.stderr.on("data", (data: Buffer) => err.push(data));
  child.stdin.on("error", () => undefined); // it need not read what it is given
  child.stdin.end(o.input ?? "");
  const killer = setTimeout(() => child.kill("SIGKILL"), o.timeout ?? 60_000);
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    const stdout = Buffer.concat(out).toString();
    const stderr = Buffer.concat(err).toString();
    if (code !== 0 && o.check !== false) {
      throw new Error(`${command} ${args.join(" ")}: ${signal ?? code}: ${stderr || stdout}`);
    }
    return { code, signal, stdout, stderr };
  } finally {
    clearTimeout(killer);
  }
}

/** A program in the background. */
export class Background {
  readonly child: ChildProcess;
  readonly command: string;
  /** Resolves at its end; never rejects. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #output = "";
  #errors = "";
  #changed: (() => void)[] = [];

  constructor(command: string, args: string[], o: RunOptions = {}) {
    this.command = `${command} ${args.join(" ")}`;
    this.child = spawn(...inNetns(command, args, o.netns), {
      env: o.env ?? process.env,
      cwd: o.cwd,
    });
    this.child.stdout?.on("data", (data: Buffer) => {
      this.#output += data.toString();
      this.#wake();
    });
    this.child.stderr?.on("data", (data: Buffer) => {
      this.#errors += data.toString();
      this.#wake();
    });
    this.child.stdin?.on("error", () => undefined);
    const { pid } = this.child;
    if (pid !== undefined) {
      guarded("pid", pid);
      this.child.once("exit", () => released("pid", pid));
    }
    this.ended = new Promise((resolve) => {
      this.child.once("error", (error) => {
        this.#errors += error.message;
        resolve({ code: null, signal: null });
        this.#wake();
      });
      this.child.once("close", (code, signal) => {
        resolve({ code, signal });
        this.#wake();
      });
    });
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.command}: did not start`);
    return this.child.pid;
  }

  /** Everything on standard output so far. */
  get output(): string {
    return this.#output;
  }

  /** Everything on standard error so far. */
  get errors(): string {
    return this.#errors;
  }

  /** Both. */
  get log(): string {
    return this.#output + this.#errors;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Waits until its output or errors match; fails if it ends first or after `timeout` ms. */
  async until(pattern: RegExp, timeout = 30_000): Promise<void> {
    const deadline = Date.now() + timeout;
    while (!pattern.test(this.#output) && !pattern.test(this.#errors)) {
      const left = deadline - Date.now();
      if (!this.running || left <= 0) {
        const why = this.running ? `did not say ${pattern} in ${timeout} ms` : "ended";
        throw new Error(`${this.command}: ${why}: ${this.#errors}${this.#output}`);
      }
      await this.#change(left);
    }
  }

  /** Sends a signal, SIGTERM unless told, and waits for the end; SIGKILL after `timeout` ms. */
  async stop(signal: NodeJS.Signals = "SIGTERM", timeout = 10_000): Promise<RunResult> {
    if (this.running) this.child.kill(signal);
    const killer = setTimeout(() => this.child.kill("SIGKILL"), timeout);
    const end = await this.ended;
    clearTimeout(killer);
    return { ...end, stdout: this.#output, stderr: this.#errors };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #wake(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }

  async #change(milliseconds: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#changed.push(resolve);
      timer = setTimeout(resolve, milliseconds);
    });
    clearTimeout(timer);
  }
}
