// Finds network namespaces: by the operator's name, or by inode where only that is known.

import { readdirSync } from "node:fs";
import { type NetnsHandle, openNetns } from "../native/bpf-loader/index.ts";

const NAMED = "/run/netns";

function names(): string[] {
  try {
    return readdirSync(NAMED);
  } catch {
    return [];
  }
}

/** The network namespace with this inode: the own one or a named one; undefined when it is gone. */
export function findNetns(inode: number): NetnsHandle | undefined {
  const own = openNetns(undefined);
  if (own.inode === inode) return own;
  own.close();
  for (const name of names()) {
    try {
      const handle = openNetns(name);
      if (handle.inode === inode) return handle;
      handle.close();
    } catch {
      // Removed in this moment, or no network namespace at all.
    }
  }
  return undefined;
}
