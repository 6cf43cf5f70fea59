// The kernel's generic netlink family for IOAM, IOAM6 (linux/ioam6_genl.h).

import { IoamctlError } from "../errors.ts";
import type { Netlink, NetlinkFamily } from "../native/node-netlink/index.ts";

const NAME = "IOAM6";
const EVENTS = "ioam6_events";

/** Looks it up. NO_KERNEL_IOAM when this kernel has no IOAM for IPv6. */
export function ioamFamily(netlink: Netlink): NetlinkFamily {
  try {
    return netlink.family(NAME);
  } catch (cause) {
    if (!(cause instanceof IoamctlError) || cause.code !== "NETLINK_NO_FAMILY") throw cause;
    throw new IoamctlError(
      "NO_KERNEL_IOAM",
      "this kernel has no IOAM for IPv6: it takes Linux 5.15 or later, with IPv6 not disabled",
      { cause },
    );
  }
}

/** The multicast group of its events. NO_KERNEL_IOAM_EVENTS when this kernel sends none. */
export function eventGroup(family: NetlinkFamily): number {
  const group = family.groups[EVENTS];
  if (group !== undefined) return group;
  throw new IoamctlError(
    "NO_KERNEL_IOAM_EVENTS",
    "this kernel sends no IOAM events: it takes Linux 6.9 or later",
  );
}
