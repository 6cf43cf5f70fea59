// Changes to a meter, one process at a time.
import { lockMeter } from "../../meter/index.ts";
import { openNetns } from "../../native/bpf-loader/index.ts";

/** The kernel's number of a network namespace (default: this one). Throws NETNS_NOT_FOUND. */
export function netnsInode(netns: string | undefined): number {
  const handle = openNetns(netns);
  const { inode } = handle;
  handle.close();
  return inode;
}

/**
 * Runs `action` while no other process attaches, detaches, rotates or flushes in that network
 * namespace. `action` must not rotate or flush itself: those wait for the same lock.
 */
export async function withMeterLock<T>(inode: number, action: () => T): Promise<T> {
  const lock = await lockMeter(inode);
  try {
    return action();
  } finally {
    lock.release();
  }
}
