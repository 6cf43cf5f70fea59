// Turns the addon's errors into IoamctlErrors with stable codes.

import { getSystemErrorMap } from "node:util";
import { IoamctlError } from "../../errors.ts";

/** What an errno means for one operation: the code, and what the message says instead of strerror. */
export type Meaning = readonly [code: string, reason: string];

const PERMISSION: Meaning = ["NETLINK_PERMISSION", "needs root or CAP_NET_ADMIN"];

/**
 * The IoamctlError for an errno met while doing `what` ("cannot join …"): NETLINK_PERMISSION,
 * what `meanings` says, or NETLINK_FAILED.
 */
export function netlinkError(
  what: string,
  errno: number,
  meanings: Readonly<Record<string, Meaning>> = {},
  cause?: unknown,
): IoamctlError {
  const [name, text] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, "unknown error"];
  const meaning = meanings[name] ?? (name === "EPERM" ? PERMISSION : undefined);
  return new IoamctlError(
    meaning?.[0] ?? "NETLINK_FAILED",
    `${what}: ${meaning?.[1] ?? text} (${name})`,
    cause === undefined ? {} : { cause },
  );
}

/** Runs `action`; what the addon throws in it goes through netlinkError(). */
export function attempt<T>(
  what: string,
  action: () => T,
  meanings?: Readonly<Record<string, Meaning>>,
): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof Error && "errno" in error)) throw error;
    throw netlinkError(what, error.errno as number, meanings, error);
  }
}
