// Opens the meter that a command is to look at.
import { IoamctlError } from "../errors.ts";
import { Meter } from "../meter/index.ts";
import { netnsArgument } from "./options.ts";
import { requirePrivileges } from "./privilege.ts";

/**
 * The meter of a network namespace (default: this one). Throws NOT_ATTACHED where there is none,
 * NOT_PERMITTED without the rights to look.
 */
export function openMeter(netns: string | undefined): Meter {
  requirePrivileges();
  const meter = Meter.open(netns);
  if (meter !== undefined) return meter;
  const [where, other] =
    netns === undefined
      ? ["this netns", ", or name another netns with --netns"]
      : [`netns ${netns}`, ""];
  throw new IoamctlError(
    "NOT_ATTACHED",
    `nothing is metered in ${where}: attach with \`ioamctl attach -n IFACE${netnsArgument(netns)}\`${other}`,
  );
}
