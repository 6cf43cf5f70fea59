// The agent as a process: signals in, exit status out.
import type { IoamctlError } from "../errors.ts";
import { Agent, type AgentSurroundings } from "./agent.ts";
import type { AgentConfig } from "./config/agent-config.ts";

/** How to run an agent. */
export interface RunOptions extends Omit<AgentSurroundings, "onIdle"> {
  readonly config: AgentConfig;
  /** Reads the configuration again, for SIGHUP; without it SIGHUP ends the agent as SIGTERM does. */
  readonly reread?: (() => AgentConfig) | undefined;
}

/** A second signal within so many milliseconds is the first once more: `timeout` sends it twice. */
const REPEAT_MS = 500;

/**
 * Runs an agent until SIGTERM or SIGINT and resolves when it has exported everything. Rejects when it
 * cannot start or has nothing left to do. A later second signal, or an export that does not end, ends the
 * process with status 1: what was not exported stays in the table.
 */
export async function runAgent({ config, reread, ...surroundings }: RunOptions): Promise<void> {
  const { log } = surroundings;
  let stop: (why: IoamctlError | undefined) => void = () => {};
  const stopped = new Promise<IoamctlError | undefined>((resolve) => {
    stop = resolve;
  });
  let stopping = false;
  let signalledAt = Number.NEGATIVE_INFINITY;
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (now - signalledAt < REPEAT_MS) return;
    if (stopping) {
      log.error({ signal }, "stopped before everything was exported: it stays in the table");
      process.exit(1);
    }
    stopping = true;
    signalledAt = now;
    log.info({ signal }, "stopping");
    stop(undefined);
  };
  process.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  if (reread === undefined) process.on("SIGHUP", onSignal);

  const starting = Agent.start(config, { ...surroundings, onIdle: stop });
  if (reread !== undefined) {
    // From the start on: without a handler SIGHUP would end the process.
    let reloading: Promise<unknown> = starting.catch(() => {});
    process.on("SIGHUP", () => {
      reloading = reloading.then(async () => reload(await starting, reread, log)).catch(() => {});
    });
  }
  const agent = await starting;
  log.info({ activeTimeout: config.meter.activeTimeout }, "running");
  const why = await stopped;
  stopping = true;
  if (!(await agent.stop())) {
    log.error("not everything was exported: it stays in the table, `ioamctl status` shows where");
    process.exit(1);
  }
  log.info("stopped");
  if (why !== undefined) throw why;
}

async function reload(
  agent: Agent,
  reread: () => AgentConfig,
  log: AgentSurroundings["log"],
): Promise<void> {
  try {
    await agent.reload(reread());
    log.info("configuration reloaded");
  } catch (error) {
    log.error({ err: error }, "configuration not reloaded: going on with the one before");
  }
}
