// Runs the command line in a child process, as a shell would.
import { fileURLToPath } from "node:url";
import { Background, type RunResult, run } from "../../lab/process.ts";

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));

/** Ends the process with status 99 when a native module is loaded. */
const NO_ADDON =
  "--import=data:text/javascript,process.dlopen=()=>{process.stderr.write('dlopen');process.exit(99)}";

/** Runs `ioamctl` with these arguments. */
export async function ioamctl(args: string[]): Promise<RunResult> {
  return run(process.execPath, ["--import=tsx", MAIN, ...args], { check: false });
}

/** The same in the background. */
export function startIoamctl(args: string[]): Background {
  return new Background(process.execPath, ["--import=tsx", MAIN, ...args]);
}

/** Runs `ioamctl` with these arguments; loading a native module ends it with status 99. */
export async function ioamctlWithoutAddons(args: string[]): Promise<RunResult> {
  return run(process.execPath, ["--import=tsx", NO_ADDON, MAIN, ...args], { check: false });
}

/** The same without any capability, whoever runs the test. */
export async function ioamctlUnprivileged(args: string[]): Promise<RunResult> {
  const bare = ["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"];
  const command = [...bare, process.execPath, "--import=tsx", NO_ADDON, MAIN, ...args];
  return run("setpriv", command, { check: false });
}
