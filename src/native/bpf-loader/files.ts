// Files: advisory locks, and a BPF file system where there is none.

import { addon } from "./addon.ts";
import { attempt, attemptAsync } from "./failure.ts";

/**
 * Takes the exclusive lock (flock) of an open file, or a shared one: false when another holds one that
 * does not go with it. What was held before is lost then.
 */
export function flock(fd: number, kind: "exclusive" | "shared" = "exclusive"): boolean {
  return attempt(`cannot lock descriptor ${fd}`, "LOCK_FAILED", () =>
    addon().flock(fd, kind === "shared"),
  );
}

/** Waits for the exclusive lock, on a thread of its own. */
export function flockWait(fd: number): Promise<void> {
  return attemptAsync(`cannot lock descriptor ${fd}`, "LOCK_FAILED", () => addon().flockWait(fd));
}

/** Gives the lock back; closing the file does too. */
export function funlock(fd: number): void {
  attempt(`cannot unlock descriptor ${fd}`, "LOCK_FAILED", () => addon().funlock(fd));
}

/**
 * Sees to it that `path`, an existing directory, is on a BPF file system: whether one had to be
 * mounted. Processes that do this at the same time mount one and the same.
 */
export function mountBpffs(path: string): boolean {
  return attempt(
    `cannot mount a BPF file system at ${path}`,
    "BPFFS_FAILED",
    () => addon().mountBpffs(path),
    {
      ENOENT: ["BPFFS_FAILED", "the directory does not exist"],
      EPERM: ["BPF_PERMISSION", "needs root or CAP_SYS_ADMIN"],
      EACCES: ["BPF_PERMISSION", "needs root or CAP_SYS_ADMIN"],
      ENODEV: ["BPFFS_FAILED", "the kernel has no BPF file system"],
    },
  );
}
