// Runs `ioamctl` as an operator would, and shows the command line and what it says.
import { fileURLToPath } from "node:url";
import { Background, type RunResult, run } from "../lab/process.ts";
import { command, output } from "./screen.ts";

const IOAMCTL = fileURLToPath(new URL("../../bin/ioamctl", import.meta.url));

/** With a session of its own: Ctrl-C is for the demo alone, which then cleans up. */
function ownSession(args: readonly string[]): [string, string[]] {
  return ["setsid", [process.execPath, IOAMCTL, ...args]];
}

function shown(args: readonly string[]): string {
  const quoted = args.map((arg) => (/[^\w:./=-]/.test(arg) ? `'${arg}'` : arg));
  return ["ioamctl", ...quoted].join(" ");
}

/** Runs one to its end without a word; its exit status does not throw. */
export function quietly(...args: string[]): Promise<RunResult> {
  return run(...ownSession(args), { check: false });
}

/** Runs one to its end; `edit` may leave out some of what it prints. Fails if it does. */
export async function ioamctl(
  args: string[],
  edit: (text: string) => string = (text) => text,
): Promise<void> {
  command(shown(args));
  const { code, stdout, stderr } = await quietly(...args);
  output(edit(stdout));
  output(stderr);
  if (code !== 0) throw new Error(`\`${shown(args)}\` ended with exit status ${code}`);
}

/** Runs any other command line to its end, shows it and what it prints, and returns that. */
export async function shell(line: string): Promise<string> {
  command(line);
  const { stdout } = await run("setsid", ["sh", "-c", line]);
  output(stdout);
  return stdout;
}

/** Starts a monitor; it listens when this returns. */
export async function startMonitor(args: string[]): Promise<Background> {
  command(`${shown(["monitor", ...args])} &`);
  const monitor = new Background(...ownSession(["monitor", ...args, "--log-level", "debug"]));
  try {
    await monitor.until(/"listening"/);
  } catch (error) {
    await monitor.stop("SIGKILL");
    throw error;
  }
  return monitor;
}

/** Starts an agent and shows what it logs until it exports. */
export async function startAgent(args: string[]): Promise<Background> {
  command(`${shown(["agent", ...args])} &`);
  const agent = new Background(...ownSession(["agent", ...args]));
  try {
    await agent.until(/"msg":"running".*\n/);
  } catch (error) {
    await agent.stop("SIGKILL");
    throw error;
  }
  output(agent.errors);
  return agent;
}

/** Ends it by SIGTERM and shows what it logs from then on. */
export async function stopAgent(agent: Background): Promise<void> {
  command("kill -TERM %1");
  const before = agent.errors.length;
  const { code, signal, stderr } = await agent.stop("SIGTERM", 20_000);
  output(stderr.slice(before));
  if (code !== 0) throw new Error(`the agent ended with ${signal ?? `exit status ${code}`}`);
}
