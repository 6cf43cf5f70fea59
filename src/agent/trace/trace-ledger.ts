// What is counted of the kernel's IOAM events in a network namespace, for other processes to read.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { agentPid, findNetns, RUN_DIRECTORY, unlessAgent } from "../../meter/index.ts";
import type { KernelEventCounters } from "../../netlink/index.ts";
import type { TraceCounts } from "./trace-records.ts";

/** Counters of one network namespace, since the first agent that listened there. */
export interface TraceCounters extends KernelEventCounters, TraceCounts {
  /** Records that were handed to the collectors and outputs. */
  exportedTraceRecords: number;
  /** Records that none of them took. */
  droppedTraceRecords: number;
}

/** All at 0, in the order in which they are shown. */
export function newTraceCounters(): TraceCounters {
  return {
    netlinkEvents: 0,
    netlinkDrops: 0,
    netlinkMalformed: 0,
    traceRecords: 0,
    traceEmpty: 0,
    pathDelayNegative: 0,
    exportedTraceRecords: 0,
    droppedTraceRecords: 0,
  };
}

/** The sum of counters, name by name. */
export function addTraceCounters(a: TraceCounters, b: TraceCounters): TraceCounters {
  const sum = newTraceCounters();
  for (const name of Object.keys(sum) as (keyof TraceCounters)[]) sum[name] = a[name] + b[name];
  return sum;
}

/** A network namespace whose events an agent exports, or did. */
export interface TraceLedger {
  /** Its name, also where the agent that runs inside has none for it; null: the caller's own. */
  readonly netns: string | null;
  readonly inode: number;
  /** Of the agent that runs. */
  readonly pid: number | undefined;
  readonly counters: TraceCounters;
}

/** What is written down of a network namespace. */
export interface TraceNote {
  readonly netns: string | null;
  readonly counters: TraceCounters;
  /** Events received whose turn has not come: in no counter yet. */
  readonly waiting: number;
}

/** As it is in the file. An inode is given away again, a cookie never is. */
interface Note extends TraceNote {
  readonly cookie: string;
}

/** Writes down what holds of a network namespace now, for readTraceLedgers() and later agents. */
export function writeTraceLedger(inode: number, cookie: bigint, note: TraceNote): void {
  const path = pathOf(inode);
  const whole: Note = { ...note, cookie: String(cookie) };
  writeFileSync(`${path}.new`, `${JSON.stringify(whole)}\n`);
  renameSync(`${path}.new`, path);
}

/**
 * The counters once the agent that wrote them is no more. What it still had in hand, because it was
 * killed, nobody exports: events that waited and records that had not left are counted as dropped.
 */
export function settled({ counters, waiting }: TraceNote): TraceCounters {
  const { traceRecords, exportedTraceRecords } = counters;
  return {
    ...counters,
    netlinkDrops: counters.netlinkDrops + waiting,
    droppedTraceRecords: traceRecords - exportedTraceRecords,
  };
}

/** What earlier agents have counted in this very network namespace. */
export function earlierTraceCounters(inode: number, cookie: bigint): TraceCounters {
  mkdirSync(RUN_DIRECTORY, { recursive: true, mode: 0o755 });
  const note = read(inode);
  return addTraceCounters(
    newTraceCounters(),
    note?.cookie === String(cookie) ? settled(note) : newTraceCounters(),
  );
}

/** Of every network namespace that is still there. */
export function readTraceLedgers(): TraceLedger[] {
  return ledgerInodes().flatMap((inode) => {
    const note = read(inode);
    const handle = note === undefined ? undefined : findNetns(inode);
    if (note === undefined || handle === undefined) return [];
    const same = String(handle.cookie()) === note.cookie;
    handle.close();
    const pid = agentPid(inode, "trace");
    const counters = pid === undefined ? settled(note) : note.counters;
    // An agent inside has no name for it.
    const netns = handle.name ?? note.netns;
    return same ? [{ netns, inode, pid, counters }] : [];
  });
}

/** Forgets what was counted in a network namespace, unless an agent listens there. */
export function forgetTraceLedger(netnsInode: number): void {
  unlessAgent(netnsInode, "trace", () => rmSync(pathOf(netnsInode), { force: true }));
}

function pathOf(inode: number): string {
  return `${RUN_DIRECTORY}/trace-${inode}.json`;
}

function ledgerInodes(): number[] {
  let names: string[];
  try {
    names = readdirSync(RUN_DIRECTORY);
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const match = /^trace-(\d+)\.json$/.exec(name);
    return match === null ? [] : [Number(match[1])];
  });
}

function read(inode: number): Note | undefined {
  try {
    return JSON.parse(readFileSync(pathOf(inode), "utf8")) as Note;
  } catch {
    return undefined;
  }
}
