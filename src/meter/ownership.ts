// Tells the meter of a network namespace from that of one that is gone and had the same inode.

import type { NetnsHandle } from "../native/bpf-loader/index.ts";
import { closeParts, type KernelParts, openParts, readConfig } from "./maps.ts";
import type { Pins } from "./pins.ts";

/** Was this meter made for that network namespace? Where the kernel cannot tell: yes. */
export function belongsTo(parts: KernelParts, netns: NetnsHandle): boolean {
  const { netnsCookie = 0n } = readConfig(parts);
  const cookie = netns.cookie();
  return netnsCookie === 0n || cookie === 0n || netnsCookie === cookie;
}

/** The pinned meter of that network namespace; undefined: it has none. Throws METER_INCOMPLETE. */
export function openOwnParts(pins: Pins, netns: NetnsHandle): KernelParts | undefined {
  if (!pins.complete) return undefined;
  const parts = openParts(pins);
  if (belongsTo(parts, netns)) return parts;
  closeParts(parts);
  return undefined;
}
