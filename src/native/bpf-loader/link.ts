// TCX and XDP attachments: BPF links, which live as long as their descriptor or their pin.

import { IoamctlError } from "../../errors.ts";
import { addon, type Fd } from "./addon.ts";
import { attempt, errnoName, failure, type Meaning } from "./failure.ts";
import { Handle } from "./handle.ts";
import { openById, openPinned, pin, unpin } from "./pin.ts";
import type { BpfProgram } from "./program.ts";

export type Direction = "ingress" | "egress";

export interface LinkInfo {
  programId: number;
  /** In the netns of its interface; 0: the interface is gone, or has moved to no netns of ours. */
  ifindex: number;
  attachType: Direction | "xdp" | "";
  type: "tcx" | "xdp" | "other";
}

const XDP_FLAGS = { generic: 1 << 1, native: 1 << 2 } as const;

const NO_INTERFACE: Meaning = ["NO_SUCH_INTERFACE", "there is no such interface in this netns"];

export class BpfLink extends Handle {
  readonly id: number;

  /** @internal */
  constructor(fd: Fd) {
    const info = attempt("cannot read a link's properties", "BPF_FAILED", () =>
      addon().linkInfo(fd.number),
    );
    super(fd, `link ${info.id}`);
    this.id = info.id;
  }

  /** What it attaches, where: read anew at each call. */
  info(): LinkInfo {
    const info = attempt(`cannot read link ${this.id}`, "BPF_FAILED", () =>
      addon().linkInfo(this.fd),
    );
    return {
      programId: info.programId,
      ifindex: info.ifindex,
      attachType: info.attachType as LinkInfo["attachType"],
      type: info.type as LinkInfo["type"],
    };
  }

  /** Takes the program off the interface at once, whoever else holds the link. */
  detach(): void {
    attempt(`cannot detach link ${this.id}`, "DETACH_FAILED", () => addon().linkDetach(this.fd));
  }

  /** Pins the link at `path`: the attachment outlives the process. */
  pin(path: string): void {
    pin("link", String(this.id), this.fd, path);
  }

  /** Removes a pin of it: whether there was one. Without holder or pin the link ends. */
  unpin(path: string): boolean {
    return unpin(path);
  }
}

/** The link pinned at `path`; NO_SUCH_LINK, WRONG_PIN. */
export function openPinnedLink(path: string): BpfLink {
  return new BpfLink(openPinned("link", path));
}

/** The link of that id; NO_SUCH_LINK. */
export function linkById(id: number): BpfLink {
  return new BpfLink(openById("link", id));
}

/**
 * Attaches a tc program to an interface of the current netns through TCX, last in order unless
 * `first`. Other programs there are not touched. The attachment ends with the BpfLink, when that
 * is closed or collected, unless it is pinned.
 *
 * TCX_UNSUPPORTED before Linux 6.6; NO_SUCH_INTERFACE; BPF_PERMISSION; ATTACH_FAILED.
 */
export function attachTcx(
  program: BpfProgram,
  ifindex: number,
  direction: Direction,
  options: { first?: boolean } = {},
): BpfLink {
  const egress = direction === "egress";
  const what = `cannot attach program ${program.name} to interface ${ifindex} (${direction}, TCX)`;
  try {
    return new BpfLink(addon().linkCreateTcx(program.fd, ifindex, egress, options.first === true));
  } catch (error) {
    const name = errnoName(error);
    if ((name === "EINVAL" || name === "EOPNOTSUPP") && !tcxSupported(ifindex)) {
      throw new IoamctlError("TCX_UNSUPPORTED", `${what}: needs Linux 6.6 or later (${name})`, {
        cause: error,
      });
    }
    throw failure(what, "ATTACH_FAILED", error, { ENODEV: NO_INTERFACE });
  }
}

/** EINVAL says many things; a kernel that answers a query about TCX has it. */
function tcxSupported(ifindex: number): boolean {
  try {
    addon().queryTcx(ifindex, false);
    return true;
  } catch (error) {
    return errnoName(error) !== "EINVAL" && errnoName(error) !== "EOPNOTSUPP";
  }
}

/** The programs on an interface's TCX hook in the order they run; [] on a kernel without TCX. */
export function queryTcx(
  ifindex: number,
  direction: Direction,
): { programId: number; linkId: number }[] {
  try {
    return addon().queryTcx(ifindex, direction === "egress");
  } catch (error) {
    if (errnoName(error) === "EINVAL" || errnoName(error) === "ENOENT") {
      return [];
    }
    throw failure(`cannot query TCX of interface ${ifindex}`, "BPF_FAILED", error, {
      ENODEV: NO_INTERFACE,
    });
  }
}

/** Attaches an XDP program, for as long as the BpfLink lives; without `mode` native where the driver can, else generic. */
export function attachXdp(
  program: BpfProgram,
  ifindex: number,
  mode?: "native" | "generic",
): BpfLink {
  const flags = mode === undefined ? 0 : XDP_FLAGS[mode];
  return new BpfLink(
    attempt(
      `cannot attach program ${program.name} to interface ${ifindex} (XDP)`,
      "ATTACH_FAILED",
      () => addon().linkCreateXdp(program.fd, ifindex, flags),
      {
        ENODEV: NO_INTERFACE,
        EBUSY: ["XDP_BUSY", "another XDP program is there"],
        EEXIST: ["XDP_BUSY", "another XDP program is there"],
        EOPNOTSUPP: ["XDP_UNSUPPORTED", "the driver has no native XDP; use generic"],
      },
    ),
  );
}
