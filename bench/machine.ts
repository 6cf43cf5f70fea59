// The machine that a result was measured on: what matters for figures, nothing that names it.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";

export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  /** Whether it is a virtual one: memory is slower there, CPUs may change place. */
  virtual: boolean;
  kernel: string;
  node: string;
  clang: string;
  /** Where there is one. */
  go?: string;
  /** Of the last minute, before the suite began: other work on the machine. */
  loadAverage: number;
}

function clangVersion(): string {
  const { stdout } = spawnSync("clang", ["--version"], { encoding: "utf8" });
  return /version ([\d.]+)/.exec(stdout ?? "")?.[1] ?? "unknown";
}

function goVersion(): string | undefined {
  const { stdout } = spawnSync("go", ["env", "GOVERSION"], { encoding: "utf8" });
  return stdout?.trim().replace(/^go/, "") || undefined;
}

export function describeMachine(): Machine {
  const go = goVersion();
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    virtual: /^flags.*\bhypervisor\b/m.test(readFileSync("/proc/cpuinfo", "utf8")),
    kernel: release(),
    node: process.versions.node,
    clang: clangVersion(),
    ...(go !== undefined && { go }),
    loadAverage: loadavg()[0]!,
  };
}
