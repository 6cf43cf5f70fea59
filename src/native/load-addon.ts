// Loads a compiled addon, with an error that says what to do when that cannot be.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { IoamctlError } from "../errors.ts";

/** Where node-gyp leaves the addons; as far from src/native as from dist/native. */
const BUILT: string = fileURLToPath(new URL("../../native/build/Release/", import.meta.url));

/** Libraries of the system that an addon needs. */
const LIBRARIES: readonly { pattern: RegExp; code: string; message: string }[] = [
  {
    pattern: /libbpf\.so[.\d]*: cannot open/,
    code: "LIBBPF_MISSING",
    message:
      "libbpf.so.1 is not installed: run apt-get install libbpf1 (Debian, Ubuntu) or install libbpf 1.1 or later",
  },
  {
    pattern: /libmnl\.so[.\d]*: cannot open/,
    code: "LIBMNL_MISSING",
    message:
      "libmnl.so.0 is not installed: run apt-get install libmnl0 (Debian, Ubuntu) or install libmnl",
  },
];

/**
 * Loads `name`.node and returns its exports.
 *
 * Throws NATIVE_MISSING when it was not built, LIBBPF_MISSING or LIBMNL_MISSING when the system lacks
 * that library, NATIVE_UNUSABLE when it was built for another system.
 */
export function loadAddon(name: string, directory: string = BUILT): unknown {
  const file = `${directory.replace(/\/$/, "")}/${name}.node`;
  if (!existsSync(file)) {
    throw new IoamctlError("NATIVE_MISSING", `${file} does not exist: run make build`);
  }
  try {
    return createRequire(import.meta.url)(file);
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    for (const { pattern, code, message } of LIBRARIES) {
      if (pattern.test(reason)) throw new IoamctlError(code, message, { cause });
    }
    throw new IoamctlError(
      "NATIVE_UNUSABLE",
      `cannot load ${file}: ${reason}; build it for this system with make build`,
      { cause },
    );
  }
}
