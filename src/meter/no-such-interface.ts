// The error of a name that no interface has.
import { IoamctlError } from "../errors.ts";

/** NO_SUCH_INTERFACE, of a network namespace by its name; null: the caller's own. */
export function noSuchInterface(name: string, netns: string | null): IoamctlError {
  const [where, remedy] =
    netns === null
      ? ["this network namespace", "see 'ip link', or name its netns with --netns"]
      : [`netns ${netns}`, `see 'ip -n ${netns} link'`];
  return new IoamctlError("NO_SUCH_INTERFACE", `no interface ${name} in ${where}: ${remedy}`);
}
