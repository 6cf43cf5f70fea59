// What goes wrong with files, in words that say what to do.
import { IoamctlError } from "../../../errors.ts";

/** Why, and what to do, by errno. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "this user may not write there: change the folder's owner or mode",
  EDQUOT: "the quota is used up: make room",
  EFBIG: "the file system or a limit does not allow a file of that size: set maxOctets",
  EIO: "the disk has failed: see the kernel's log",
  EISDIR: "that is a folder: give the name of a file in it",
  ELOOP: "a symbolic link is in its place: move it away",
  EMFILE: "too many files are open: raise the limit (LimitNOFILE in the systemd unit)",
  ENOENT: "the folder does not exist: make it",
  ENOSPC: "no space is left on its file system: make room",
  ENOTDIR: "what should be its folder is a file: give another path",
  EPERM: "this user may not write there: change the folder's owner or mode",
  EROFS: "its file system is read-only: mount it for writing",
};

/** The failure as an IoamctlError whose code is the errno's name. */
export function fileError(error: unknown, path: string): IoamctlError {
  if (error instanceof IoamctlError) return error;
  const { code = "EIO", message } = error as Error & { code?: string };
  const why = REASONS[code] ?? message;
  return new IoamctlError(code, `cannot write ${path} (${code}): ${why}`, { cause: error });
}
