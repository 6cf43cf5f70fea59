// Builds bench/go-ipfix with a version of go-ipfix, which `go` fetches by name.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("go-ipfix", import.meta.url));
const BUILT = fileURLToPath(new URL("../build/bench/", import.meta.url));

/** Time for fetching the modules, and compiling them. */
const TIMEOUT = 300_000;

/** Files of bench/go-ipfix that name the version: go.mod for the one, and another for the other. */
export const GO_IPFIX = {
  "0.17": [],
  "0.8.1": ["-modfile=v0.8.1.mod", "-tags=v0.8.1"],
} as const;

export type GoIpfixVersion = keyof typeof GO_IPFIX;

/** The program's path. Throws when there is no Go, or the module cannot be had. */
export function buildGoIpfix(version: GoIpfixVersion): string {
  const program = `${BUILT}go-ipfix-${version}`;
  const args = ["build", ...GO_IPFIX[version], "-o", program, "."];
  const built = spawnSync("go", args, { cwd: SOURCE, encoding: "utf8", timeout: TIMEOUT });
  if (built.error !== undefined) throw new Error(`go: ${built.error.message}`);
  if (built.status !== 0) throw new Error(built.stderr.trim().split("\n").at(-1));
  return program;
}
