// Finds the BPF file system that pins live in, also from inside `ip netns exec`.

import { readlinkSync, statfsSync } from "node:fs";
import { IoamctlError } from "../errors.ts";
import { mountBpffs } from "../native/bpf-loader/index.ts";

const USUAL = "/sys/fs/bpf";
/** `ip netns exec` mounts a /sys of its own: what is pinned below it would be gone with the command. */
const OUTSIDE = "/proc/1/root/sys/fs/bpf";
/** BPF_FS_MAGIC of linux/magic.h. */
const MAGIC = 0xcafe4a11;

function isBpffs(path: string): boolean {
  try {
    return statfsSync(path).type >>> 0 === MAGIC;
  } catch {
    return false;
  }
}

function hasOwnMounts(): boolean {
  try {
    return readlinkSync("/proc/self/ns/mnt") !== readlinkSync("/proc/1/ns/mnt");
  } catch {
    return false;
  }
}

/** Where pins are: the usual place, or the machine's when this process has a /sys of its own. */
export function findBpffs(): string {
  return !isBpffs(USUAL) && isBpffs(OUTSIDE) ? OUTSIDE : USUAL;
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
