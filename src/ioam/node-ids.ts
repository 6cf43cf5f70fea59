// A node's IOAM ids, as the kernel of its network namespace has them (system controls).

import { readFileSync } from "node:fs";

/** Ids of RFC 9197; absent when the kernel has no IOAM or the id was never set (all ones). */
export interface NodeIds {
  ioamNodeId?: number;
  ioamNodeIdWide?: bigint;
}

const UNSET = 0xffffff;
const UNSET_WIDE = (1n << 56n) - 1n;

/**
 * A control of net.ipv6 in the netns that the calling thread is in: /proc/sys/net shows each thread
 * its own. Undefined: this kernel does not have it, or its interface has gone meanwhile.
 */
export function readIPv6Sysctl(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/net/ipv6/${name}`, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** Reads the ids of the network namespace that the calling thread is in. */
export function readNodeIds(): NodeIds {
  const id = readIPv6Sysctl("ioam6_id");
  const wide = readIPv6Sysctl("ioam6_id_wide");
  return {
    ...(id === undefined || Number(id) === UNSET ? {} : { ioamNodeId: Number(id) }),
    ...(wide === undefined || BigInt(wide) === UNSET_WIDE ? {} : { ioamNodeIdWide: BigInt(wide) }),
  };
}
