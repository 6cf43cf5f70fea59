// Pins in a BPF file system: what keeps maps, programs and links alive without a process.

import { unlinkSync } from "node:fs";
import { IoamctlError } from "../../errors.ts";
import { addon, type Fd } from "./addon.ts";
import { attempt, failure, nativeCall, nativeLog } from "./failure.ts";

type Kind = "map" | "program" | "link";

const MISSING: Record<Kind, string> = {
  map: "NO_SUCH_MAP",
  program: "NO_SUCH_PROGRAM",
  link: "NO_SUCH_LINK",
};

/** Pins `fd` at `path`; PIN_EXISTS, or PIN_FAILED when the path is on no BPF file system. */
export function pin(kind: Kind, name: string, fd: number, path: string): void {
  attempt(`cannot pin ${kind} ${name} at ${path}`, "PIN_FAILED", () => addon().pin(fd, path), {
    EEXIST: ["PIN_EXISTS", "the path exists; choose another or remove it"],
    ENOENT: ["PIN_FAILED", "its directory does not exist"],
    EINVAL: ["PIN_FAILED", "not a path on a BPF file system; mount one (mount -t bpf bpf DIR)"],
    EACCES: ["BPF_PERMISSION", "needs root"],
  });
}

/** Removes the pin, if there is one: whether there was. What it held goes with its last holder. */
export function unpin(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") {
      return false;
    }
    const permission = code === "EPERM" || code === "EACCES";
    throw new IoamctlError(
      permission ? "BPF_PERMISSION" : "PIN_FAILED",
      `cannot remove the pin ${path}: ${permission ? "needs root" : message}`,
      { cause },
    );
  }
}

/** Opens what is pinned at `path`; NO_SUCH_MAP (…PROGRAM, …LINK), WRONG_PIN for another kind. */
export function openPinned(kind: Kind, path: string): Fd {
  const what = `cannot open pinned ${kind} ${path}`;
  try {
    return addon().getPinned(path, kind);
  } catch (error) {
    if (nativeCall(error) === "kind") {
      const found = nativeLog(error);
      throw new IoamctlError("WRONG_PIN", `${what}: it is a ${found || "different object"}`, {
        cause: error,
      });
    }
    throw failure(what, "PIN_FAILED", error, {
      ENOENT: [MISSING[kind], "there is no such file"],
      EINVAL: ["WRONG_PIN", "not a file of a BPF file system"],
      EACCES: ["BPF_PERMISSION", "needs root"],
    });
  }
}

/** Opens by the kernel's id; needs CAP_SYS_ADMIN. */
export function openById(kind: Kind, id: number): Fd {
  return attempt(`cannot open ${kind} ${id}`, "BPF_FAILED", () => addon().getById(kind, id), {
    ENOENT: [MISSING[kind], "the kernel has none of that id"],
    EPERM: ["BPF_PERMISSION", "needs root or CAP_SYS_ADMIN"],
  });
}
