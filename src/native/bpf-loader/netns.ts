// Network namespaces: found by name, entered for one synchronous call.

import { statSync } from "node:fs";
import { IoamctlError } from "../../errors.ts";
import { addon, type Fd } from "./addon.ts";
import { attempt, type Meaning } from "./failure.ts";
import { Handle } from "./handle.ts";

const NAMED = "/run/netns";

const PERMISSION: Meaning = ["BPF_PERMISSION", "needs root or CAP_SYS_ADMIN"];

export class NetnsHandle extends Handle {
  /** As given to openNetns(); undefined: the process's own. */
  readonly name: string | undefined;
  /** The same for every name that the netns has; when it is gone, another one may get it. */
  readonly inode: number;

  /** @internal */
  constructor(fd: Fd, name: string | undefined, inode: number) {
    super(fd, `netns ${name ?? "of this process"}`);
    this.name = name;
    this.inode = inode;
  }

  /** A number that no other netns ever gets, until the machine boots anew; 0n before Linux 5.14. */
  cookie(): bigint {
    return withNetns(this, () =>
      attempt("cannot tell netns apart", "NETNS_FAILED", () => addon().netnsCookie()),
    );
  }
}

/**
 * A network namespace by its name (of `ip netns`) or by a path; without either, this thread's own.
 * NETNS_NOT_FOUND, BPF_PERMISSION.
 */
export function openNetns(name?: string): NetnsHandle {
  if (name === "" || name === "." || name === "..") {
    throw new IoamctlError("NETNS_NOT_FOUND", `"${name}" is no name of a netns`);
  }
  const path = name === undefined || name.includes("/") ? (name ?? "") : `${NAMED}/${name}`;
  const { fd, inode } = attempt(
    name === undefined ? "cannot open the own netns" : `cannot open netns ${name}`,
    "NETNS_FAILED",
    () => addon().netnsOpen(path),
    {
      ENOENT: ["NETNS_NOT_FOUND", "there is none; ip netns list shows those with a name"],
      EINVAL: ["NETNS_NOT_FOUND", `${path} is not a network namespace`],
      EACCES: PERMISSION,
    },
  );
  return new NetnsHandle(fd, name, inode);
}

/** Whether a netns is the calling thread's: entering it needs CAP_SYS_ADMIN, being there does not. */
export function isOwnNetns(netns: NetnsHandle): boolean {
  return statSync("/proc/thread-self/ns/net").ino === netns.inode;
}

/**
 * Runs `action` in that netns and returns what it returns. The thread is back in its own netns
 * afterwards, whatever happens; should the kernel refuse that, the process ends, since anything it
 * did next would be done in the wrong network. Sockets and attachments made inside stay where they
 * were made. `action` must not be asynchronous: only its first part would run inside.
 */
export function withNetns<T>(netns: NetnsHandle, action: () => T): T {
  if (isOwnNetns(netns)) return synchronous(action());
  const own = attempt(
    `cannot enter netns ${netns.name ?? netns.inode}`,
    "NETNS_FAILED",
    () => addon().netnsEnter(netns.fd),
    { EPERM: PERMISSION },
  );
  let result: T;
  try {
    result = action();
  } finally {
    addon().netnsReturn(own.number);
    own.close();
  }
  return synchronous(result);
}

function synchronous<T>(result: T): T {
  if (result instanceof Promise) {
    throw new TypeError("withNetns: the action is asynchronous");
  }
  return result;
}
