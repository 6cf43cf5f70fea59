// Files that keep two processes from changing one meter at once, and two agents from draining it.

import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { IoamctlError } from "../errors.ts";
import { flock, flockWait } from "../native/bpf-loader/index.ts";

/** Where locks are, and what agents write down for other processes. */
export const RUN_DIRECTORY = "/run/ioamctl";

/** Throws LOCK_DENIED. */
function openLock(name: string): number {
  try {
    mkdirSync(RUN_DIRECTORY, { recursive: true, mode: 0o755 });
    return openSync(`${RUN_DIRECTORY}/${name}`, "a+", 0o644);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "EACCES" && code !== "EPERM") throw cause;
    throw new IoamctlError(
      "LOCK_DENIED",
      `cannot write ${RUN_DIRECTORY}/${name} (${code}): run it as root, or always as the user whose ${RUN_DIRECTORY} is`,
      { cause },
    );
  }
}

/** A held lock; the kernel lets it go when the process ends, however it ends. */
export interface Lock {
  release(): void;
}

/** Waits for the right to change a network namespace's meter: attach, detach, rotate, flush. */
export async function lockMeter(netnsInode: number): Promise<Lock> {
  const fd = openLock(`meter-${netnsInode}.lock`);
  try {
    await flockWait(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { release: () => closeSync(fd) };
}

/** What an agent has to itself in a network namespace: the meter, or the kernel's IOAM events. */
export type AgentRole = "agent" | "trace";

/** Takes the place of the one agent of a network namespace. Throws AGENT_RUNNING. */
export function lockAgent(netnsInode: number, role: AgentRole = "agent"): Lock {
  const fd = openLock(`${role}-${netnsInode}.lock`);
  while (!flock(fd)) {
    // Those who only look share the lock with us for a moment, an agent never does.
    if (flock(fd, "shared")) continue;
    closeSync(fd);
    const pid = agentPid(netnsInode, role);
    const what = role === "agent" ? "drains" : "exports the kernel's IOAM events of";
    throw new IoamctlError(
      "AGENT_RUNNING",
      `an agent ${pid === undefined ? "" : `(pid ${pid}) `}already ${what} this network namespace: stop it first`,
    );
  }
  ftruncateSync(fd, 0);
  writeSync(fd, `${process.pid}\n`);
  return { release: () => closeSync(fd) };
}

/**
 * Runs `action` unless an agent has that place; none can take it before it has ended. The lock's file
 * stays: to remove it would race with one who has opened it and is about to lock it, and then two
 * agents could hold a lock of that name each.
 */
export function unlessAgent(netnsInode: number, role: AgentRole, action: () => void): void {
  const fd = openLock(`${role}-${netnsInode}.lock`);
  try {
    // An agent that comes now waits for us, as for those who only look.
    if (flock(fd, "shared")) action();
  } finally {
    closeSync(fd);
  }
}

/** The pid of the agent that runs for a network namespace. */
export function agentPid(netnsInode: number, role: AgentRole = "agent"): number | undefined {
  let fd: number;
  try {
    fd = openSync(`${RUN_DIRECTORY}/${role}-${netnsInode}.lock`, "r");
  } catch {
    return undefined;
  }
  try {
    // Shared: it is in the way of no other who looks.
    if (flock(fd, "shared")) return undefined;
    const pid = Number(readFileSync(fd, "utf8"));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } finally {
    closeSync(fd);
  }
}
