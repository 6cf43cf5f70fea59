// tc attachments through a clsact qdisc, for kernels without TCX. What is not ours stays.

import { IoamctlError } from "../../errors.ts";
import { addon } from "./addon.ts";
import { attempt, failure, type Meaning, nativeCall } from "./failure.ts";
import type { Direction } from "./link.ts";
import type { BpfProgram } from "./program.ts";

export interface TcAttachment {
  handle: number;
  /** Chosen by the kernel unless given. */
  priority: number;
  /** Whether the clsact qdisc was made for it: if so it may be removed again. */
  createdQdisc: boolean;
}

export interface TcFilter {
  handle: number;
  priority: number;
  chain: number;
  /** "bpf", "flower", … */
  kind: string;
  /** "program:[id]" as it was given at attach. */
  name: string;
  /** 0: no BPF filter. */
  programId: number;
}

const NO_INTERFACE: Meaning = ["NO_SUCH_INTERFACE", "there is no such interface in this netns"];

const MEANINGS: Readonly<Record<string, Meaning>> = { ENODEV: NO_INTERFACE };

/**
 * Attaches a tc program (direct action) as a filter of the clsact qdisc, which is made if missing,
 * to an interface of the current netns. A lower `priority` (1…65535) runs earlier; by default the
 * kernel chooses one that runs before the filters it chose for before.
 *
 * NO_SUCH_INTERFACE; TC_FOREIGN_QDISC; BPF_PERMISSION; ATTACH_FAILED.
 */
export function attachTc(
  program: BpfProgram,
  ifindex: number,
  direction: Direction,
  options: { priority?: number } = {},
): TcAttachment {
  const what = `cannot attach program ${program.name} to interface ${ifindex} (${direction}, tc)`;
  const priority = options.priority ?? 0;
  if (!Number.isInteger(priority) || priority < 0 || priority > 65535) {
    throw new RangeError(`tc: priority ${priority} is not an integer from 0 to 65535`);
  }
  checkIfindex(what, ifindex);
  try {
    return addon().tcAttach(program.fd, ifindex, direction === "egress", priority);
  } catch (error) {
    if (nativeCall(error) === "clsact") {
      throw new IoamctlError(
        "TC_FOREIGN_QDISC",
        `${what}: it has an ingress qdisc, which has no egress hook; replace that by clsact`,
        { cause: error },
      );
    }
    throw failure(what, "ATTACH_FAILED", error, MEANINGS);
  }
}

/** Removes that filter, if it still holds that program: whether it did. */
export function detachTc(
  ifindex: number,
  direction: Direction,
  handle: number,
  priority: number,
  programId: number,
): boolean {
  return attempt(
    `cannot detach program ${programId} from interface ${ifindex} (${direction}, tc)`,
    "DETACH_FAILED",
    () => addon().tcDetach(ifindex, direction === "egress", handle, priority, programId),
  );
}

/**
 * Removes the clsact qdisc if neither of its hooks holds a filter of anybody: whether it did. Call
 * it only for a qdisc that attachTc() made.
 */
export function removeQdisc(ifindex: number): boolean {
  return attempt(`cannot remove clsact from interface ${ifindex}`, "DETACH_FAILED", () =>
    addon().tcRemoveQdisc(ifindex),
  );
}

/** Every filter of that hook, BPF or not; [] without a qdisc. NO_SUCH_INTERFACE. */
export function queryTc(ifindex: number, direction: Direction): TcFilter[] {
  const what = `cannot list the filters of interface ${ifindex}`;
  checkIfindex(what, ifindex);
  return attempt(what, "BPF_FAILED", () => addon().tcQuery(ifindex, direction === "egress"));
}

/* Dumping the filters of an interface that is not there gives none, not an error. */
function checkIfindex(what: string, ifindex: number): void {
  if (addon().interfaceName(ifindex) === undefined) {
    throw new IoamctlError(NO_INTERFACE[0], `${what}: ${NO_INTERFACE[1]}`);
  }
}
