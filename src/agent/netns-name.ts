// What a name of a network namespace means now: the one that it meant before, another, or none.
import { statSync } from "node:fs";
import { type NetnsHandle, openNetns } from "../native/bpf-loader/index.ts";

/** Whether `netns` (a name of `ip netns`, or a path) is the network namespace with that inode. */
export function isNetns(netns: string, inode: number): boolean {
  const path = netns.includes("/") ? netns : `/run/netns/${netns}`;
  return statSync(path, { throwIfNoEntry: false })?.ino === inode;
}

/**
 * Tells the network namespace that has a name now from all others that ever had it, also from one
 * with the same inode; undefined: there is none.
 */
export function netnsIdentity(netns: string): string | undefined {
  let handle: NetnsHandle | undefined;
  try {
    handle = openNetns(netns);
    return `${handle.inode}/${handle.cookie()}`;
  } catch {
    // None, or not a network namespace yet: `ip netns add` makes the name first.
    return undefined;
  } finally {
    handle?.close();
  }
}
