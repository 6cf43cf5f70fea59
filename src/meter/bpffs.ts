// Finds the BPF file system that pins live in, also from inside `ip netns exec`.

import { readFileSync, readlinkSync, statfsSync } from "node:fs";
import { IoamctlError } from "../errors.ts";
import { mountBpffs } from "../native/bpf-loader/index.ts";

const USUAL = "/sys/fs/bpf";
/** BPF_FS_MAGIC of linux/magic.h. */
const MAGIC = 0xcafe4a11;

function isBpffs(path: string): boolean {
  try {
    return statfsSync(path).type >>> 0 === MAGIC;
  } catch {
    return false;
  }
}

function mountsOf(pid: number | "self"): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return undefined;
  }
}

/** The parent's, by the fourth field of /proc/PID/stat; 0: none, or not to be seen. */
function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return 0;
  }
}

/**
 * The process that has the machine's mounts: 1, or where we may not look at that one, since it has
 * rights that we lack, our outermost ancestor that we may.
 */
function outermost(): number | undefined {
  if (mountsOf(1) !== undefined) return 1;
  let found: number | undefined;
  for (let pid = process.ppid; pid > 1; pid = parentOf(pid)) {
    if (mountsOf(pid) !== undefined) found = pid;
  }
  return found;
}

/**
 * Where pins are: the usual place, or the machine's when this process has a /sys of its own, as
 * `ip netns exec` mounts one: what is pinned below it would be gone with the command.
 */
export function findBpffs(): string {
  if (isBpffs(USUAL)) return USUAL;
  const outside = `/proc/${outermost()}/root${USUAL}`;
  return isBpffs(outside) ? outside : USUAL;
}

function hasOwnMounts(): boolean {
  const pid = outermost();
  return pid !== undefined && mountsOf(pid) !== mountsOf("self");
}

/** Mounts a BPF file system at the usual place if there is none. Throws PRIVATE_MOUNTS. */
export function prepareBpffs(): void {
  if (isBpffs(findBpffs())) return;
  if (hasOwnMounts()) {
    throw new IoamctlError(
      "PRIVATE_MOUNTS",
      "nothing that is pinned here outlives this command, since it has mounts of its own: run ioamctl outside, with --netns",
    );
  }
  mountBpffs(USUAL);
}
