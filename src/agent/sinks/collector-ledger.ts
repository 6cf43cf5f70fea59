// What an agent's collectors and files have taken, for other processes to read.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { RUN_DIRECTORY } from "../../meter/index.ts";
import { startTicker, type Ticker } from "../ticker.ts";
import type { CollectorStatus } from "./exporter.ts";

/** How often it is written down, milliseconds. */
const PERIOD_MS = 1000;

/** Writes down what an agent's collectors have taken, each second, for as long as it runs. */
export class CollectorLedger {
  readonly #collectors: () => readonly CollectorStatus[];
  readonly #ticker: Ticker;
  #written = "";

  /** `collectors` is asked each time. */
  constructor(collectors: () => readonly CollectorStatus[]) {
    this.#collectors = collectors;
    mkdirSync(RUN_DIRECTORY, { recursive: true, mode: 0o755 });
    // Of agents that were killed.
    for (const pid of ledgerPids()) if (!isRunning(pid)) rmSync(pathOf(pid), { force: true });
    this.write();
    this.#ticker = startTicker(PERIOD_MS, async () => this.write());
  }

  /** Writes down how it is now. */
  write(): void {
    const text = `${JSON.stringify(this.#collectors())}\n`;
    if (text === this.#written) return;
    this.#written = text;
    const path = pathOf(process.pid);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }

  /** Nothing of this agent is left. */
  remove(): void {
    this.#ticker.stop();
    rmSync(pathOf(process.pid), { force: true });
  }
}

/** What the collectors of the agent with this pid had taken a second ago at most; [] without one. */
export function readCollectors(pid: number): CollectorStatus[] {
  try {
    return JSON.parse(readFileSync(pathOf(pid), "utf8")) as CollectorStatus[];
  } catch {
    return [];
  }
}

function pathOf(pid: number): string {
  return `${RUN_DIRECTORY}/collectors-${pid}.json`;
}

function ledgerPids(): number[] {
  return readdirSync(RUN_DIRECTORY).flatMap((name) => {
    const match = /^collectors-(\d+)\.json$/.exec(name);
    return match === null ? [] : [Number(match[1])];
  });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
