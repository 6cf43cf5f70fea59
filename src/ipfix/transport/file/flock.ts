// Advisory locks without native code: flock(1) locks an open file that this process shares with it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { IoamctlError } from "../../../errors.ts";

/** What flock(1) ends with when another has the lock. */
const TAKEN = 1;

/**
 * Takes the lock of an open file: false when another has it. The kernel lets it go when the file is
 * closed, however that comes. Throws LOCK_FAILED.
 */
export async function flock(fd: number): Promise<boolean> {
  const child = spawn("flock", ["-n", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
  let status: number | null;
  try {
    [status] = (await once(child, "exit")) as [number | null];
  } catch (cause) {
    const { code } = cause as { code?: string };
    throw failed(`flock(1) does not run (${code}): install util-linux`, cause);
  }
  if (status !== 0 && status !== TAKEN) {
    throw failed(`flock(1) ended with ${status}: its file system may not have locks`);
  }
  return status === 0;
}

function failed(why: string, cause?: unknown): IoamctlError {
  return new IoamctlError("LOCK_FAILED", `cannot keep other writers away: ${why}`, { cause });
}
