// One agent a network namespace: who it is, what it does, and what is left to undo when it is killed.
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import {
  type Attachment,
  agentPid,
  type Lock,
  lockAgent,
  RUN_DIRECTORY,
} from "../../meter/index.ts";

/** What an agent is doing. */
export type AgentState = "starting" | "running" | "stopping";

/** An agent that exports the meter of a network namespace. */
export interface RunningAgent {
  pid: number;
  state: AgentState;
}

/** What an agent writes down beside its lock. */
interface Note extends RunningAgent {
  /** Attachments that the agent made, to be undone when it ends. */
  made: Attachment[];
}

/** The agent that exports the meter of a network namespace; undefined when none runs. */
export function runningAgent(netnsInode: number): RunningAgent | undefined {
  const pid = agentPid(netnsInode);
  if (pid === undefined) return undefined;
  const note = readNote(netnsInode);
  return { pid, state: note?.pid === pid ? note.state : "starting" };
}

/** The lock that an agent holds on a network namespace until it ends, however it ends. */
export class AgentLock {
  /** What an agent that was killed had attached and could not undo. */
  readonly inherited: readonly Attachment[];
  readonly #netnsInode: number;
  readonly #lock: Lock;

  private constructor(netnsInode: number, lock: Lock) {
    this.#netnsInode = netnsInode;
    this.#lock = lock;
    this.inherited = readNote(netnsInode)?.made ?? [];
  }

  /** Takes the lock. Throws AGENT_RUNNING when another agent has it. */
  static acquire(netnsInode: number): AgentLock {
    return new AgentLock(netnsInode, lockAgent(netnsInode));
  }

  /** Writes down the state, and the attachments that are to be undone when this agent ends. */
  write(state: AgentState, made: readonly Attachment[]): void {
    const path = notePath(this.#netnsInode);
    const note: Note = { pid: process.pid, state, made: [...made] };
    writeFileSync(`${path}.new`, `${JSON.stringify(note)}\n`);
    renameSync(`${path}.new`, path);
  }

  /** Gives the lock back, with nothing left to undo. */
  release(): void {
    rmSync(notePath(this.#netnsInode), { force: true });
    this.#lock.release();
  }

  /** Gives the lock back and leaves what was inherited to the next agent. */
  abandon(): void {
    this.#lock.release();
  }
}

function notePath(netnsInode: number): string {
  return `${RUN_DIRECTORY}/agent-${netnsInode}.json`;
}

function readNote(netnsInode: number): Note | undefined {
  try {
    return JSON.parse(readFileSync(notePath(netnsInode), "utf8")) as Note;
  } catch {
    // None was written, or not by an agent: there is nothing to go by.
    return undefined;
  }
}
