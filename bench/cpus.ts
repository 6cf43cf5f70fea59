// Which CPU measures and which does the rest.

import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

/** The last CPU: interrupts and other people's work are rather on the first. */
export const MEASURED_CPU: number = availableParallelism() - 1;

/** Another one, if there is any. */
export const OTHER_CPU: number = Math.max(0, MEASURED_CPU - 1);

/** Keeps a thread (a process's main thread has its id) on a CPU. */
export function pin(thread: number, cpu: number): void {
  const { status, stderr } = spawnSync("taskset", ["-cp", String(cpu), String(thread)]);
  if (status !== 0) throw new Error(`taskset: ${stderr}`);
}
