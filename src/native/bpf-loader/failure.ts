// Turns the addon's errors into IoamctlErrors with stable codes.

import { constants } from "node:os";
import { IoamctlError } from "../../errors.ts";

/** What the addon throws. */
interface NativeError extends Error {
  errno: number;
  reason: string;
  syscall: string;
  log: string;
}

/** What an errno means for one operation: the code, and what the message says instead of strerror. */
export type Meaning = readonly [code: string, reason: string];

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno)
    .map(([name, number]): [number, string] => [number, name])
    /* The kernel's own, which leaks out of bpf(). */
    .concat([[524, "ENOTSUPP"]]),
);

const PERMISSION: Meaning = ["BPF_PERMISSION", "needs root or CAP_BPF, CAP_NET_ADMIN"];

function isNative(error: unknown): error is NativeError {
  return error instanceof Error && "errno" in error && "syscall" in error;
}

/** "EINVAL" and the like, of an error that came from the kernel or libbpf; else undefined. */
export function errnoName(error: unknown): string | undefined {
  const cause = error instanceof IoamctlError ? error.cause : error;
  if (!isNative(cause)) {
    return undefined;
  }
  return NAMES.get(cause.errno) ?? `errno ${cause.errno}`;
}

/** libbpf's and the verifier's words on that error, "" when there are none. */
export function nativeLog(error: unknown): string {
  return isNative(error) ? error.log : "";
}

/** The name of the call that failed. */
export function nativeCall(error: unknown): string {
  return isNative(error) ? error.syscall : "";
}

/**
 * The IoamctlError for `error`, thrown while doing `what` ("cannot pin map table at /x"). `code`
 * is for any errno not in `meanings`. Errors of other origin are returned as they are.
 */
export function failure(
  what: string,
  code: string,
  error: unknown,
  meanings: Readonly<Record<string, Meaning>> = {},
): unknown {
  if (!isNative(error)) {
    return error;
  }
  const name = errnoName(error) ?? "";
  const meaning = meanings[name] ?? (name === "EPERM" ? PERMISSION : undefined);
  const reason = meaning?.[1] ?? error.reason;
  const detail = error.log.trim();
  const suffix = name.startsWith("E") ? ` (${name})` : "";
  return new IoamctlError(
    meaning?.[0] ?? code,
    `${what}: ${reason}${suffix}`,
    detail === "" ? { cause: error } : { cause: error, detail },
  );
}

/** Runs `action`; what it throws goes through failure(). */
export function attempt<T>(
  what: string,
  code: string,
  action: () => T,
  meanings?: Readonly<Record<string, Meaning>>,
): T {
  try {
    return action();
  } catch (error) {
    throw failure(what, code, error, meanings);
  }
}

/** attempt() for a promise. */
export async function attemptAsync<T>(
  what: string,
  code: string,
  action: () => Promise<T>,
  meanings?: Readonly<Record<string, Meaning>>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw failure(what, code, error, meanings);
  }
}
