// Whether a name still means the same network namespace.
import { statSync } from "node:fs";

/** Whether `netns` (a name of `ip netns`, or a path) is the network namespace with that inode. */
export function isNetns(netns: string, inode: number): boolean {
  const path = netns.includes("/") ? netns : `/run/netns/${netns}`;
  return statSync(path, { throwIfNoEntry: false })?.ino === inode;
}
