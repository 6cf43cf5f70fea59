// Generic netlink: families by name, requests and dumps.

import { isOwnNetns, type NetnsHandle } from "../bpf-loader/index.ts";
import { addon, type RawControl } from "./addon.ts";
import { attempt } from "./failure.ts";

/** A generic netlink family, as the kernel numbers it now. */
export interface NetlinkFamily {
  /** Type of its messages. */
  id: number;
  version: number;
  /** Multicast groups by name. */
  groups: Readonly<Record<string, number>>;
}

/** Messages, each with its netlink header: message i begins at index[2i] and has index[2i + 1] octets. */
export interface NetlinkMessages {
  octets: Uint8Array;
  index: Uint32Array;
}

export interface NetlinkAnswer extends NetlinkMessages {
  /** False: a dump ended early, for the kernel had no room for all. */
  complete: boolean;
}

export interface NetlinkRequest {
  family: NetlinkFamily;
  command: number;
  /** Ask for all there is (NLM_F_DUMP). */
  dump?: boolean;
  /** Ready for the wire: each padded to 4 octets. */
  attributes?: Uint8Array;
}

/** A socket for questions. It waits for its answers: the kernel gives them at once. */
export class Netlink {
  readonly #raw: RawControl;

  /** @internal */
  constructor(raw: RawControl) {
    this.#raw = raw;
  }

  /** Looks up a family. NETLINK_NO_FAMILY when this kernel has none of that name. */
  family(name: string): NetlinkFamily {
    return attempt(`cannot find netlink family ${name}`, () => this.#raw.family(name), {
      ENOENT: ["NETLINK_NO_FAMILY", "this kernel does not have it"],
    });
  }

  /** Sends a request and returns what answers it. NETLINK_PERMISSION, NETLINK_FAILED. */
  request(o: NetlinkRequest): NetlinkAnswer {
    const { family, command, dump = false, attributes = new Uint8Array(0) } = o;
    return attempt(`netlink command ${command} failed`, () =>
      this.#raw.request(family.id, command, family.version, dump, attributes),
    );
  }

  /** Closes the socket; again is harmless. */
  close(): void {
    this.#raw.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** For the addon: -1 where nothing has to be entered, which would take CAP_SYS_ADMIN. */
export function descriptorOf(netns: NetnsHandle | undefined): number {
  return netns === undefined || isOwnNetns(netns) ? -1 : netns.fd;
}

/**
 * Opens a generic netlink socket in a network namespace, by default that of the calling thread.
 * NATIVE_MISSING, LIBMNL_MISSING, NETLINK_PERMISSION (another namespace, without CAP_SYS_ADMIN).
 */
export function openNetlink(o: { netns?: NetnsHandle | undefined } = {}): Netlink {
  const { Control } = addon();
  return new Netlink(
    attempt("cannot open a netlink socket", () => new Control(descriptorOf(o.netns)), {
      EPERM: ["NETLINK_PERMISSION", "another netns needs root or CAP_SYS_ADMIN"],
      EPROTONOSUPPORT: ["NETLINK_FAILED", "this kernel has no generic netlink"],
    }),
  );
}
