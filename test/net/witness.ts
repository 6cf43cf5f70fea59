// Somebody else's program at a hook, which says how packets came by there.
import {
  attachTc,
  attachTcx,
  type BpfLink,
  type BpfObject,
  type BpfProgram,
  interfaceIndex,
  openNetns,
  openObject,
  withNetns,
} from "../../src/native/bpf-loader/index.ts";
import { MappedStructs } from "../lab/mapped-struct.ts";
import type { Netns } from "../lab/netns.ts";
import { testProgram } from "../lab/programs.ts";

export interface WitnessOptions {
  direction?: "ingress" | "egress";
  /** Before all others (TCX); after them unless told. */
  first?: boolean;
  /** "tc": a filter of the clsact qdisc, made if missing; TCX unless told. */
  hook?: "tcx" | "tc";
  /** What it does beside: puts VLAN tags on (100; or 200, of 802.1ad, and 300). */
  tags?: "tag_once" | "tag_twice";
}

export class Witness {
  readonly #object: BpfObject;
  readonly #links: BpfLink[];
  readonly #seen: MappedStructs;

  constructor(netns: Netns, device: string, o: WitnessOptions = {}) {
    const { direction = "ingress", first = false, hook = "tcx" } = o;
    this.#object = openObject(testProgram("witness"));
    this.#object.load();
    this.#seen = new MappedStructs(this.#object.map("seen").mmap(), this.#object.layout("witness"));
    const handle = openNetns(netns.name);
    try {
      this.#links = withNetns(handle, () => {
        const ifindex = interfaceIndex(device);
        if (hook === "tcx") {
          const programs = o.tags === undefined ? [] : [this.#object.program(o.tags)];
          return [...programs, this.program].map((one) =>
            attachTcx(one, ifindex, direction, { first }),
          );
        }
        attachTc(this.program, ifindex, direction);
        return [];
      });
    } finally {
      handle.close();
    }
  }

  get program(): BpfProgram {
    return this.#object.program("witness");
  }

  /** A counter of struct witness (test/bpf/programs/witness.bpf.c). */
  count(
    name: "packets" | "octets" | "gso" | "segments" | "uncounted" | "tagged" | "scattered",
  ): number {
    return Number(this.#seen.u64(0, name));
  }

  /** Fewest linear octets of a packet that was not all linear. */
  get linear(): number {
    return this.#seen.u32(0, "linear");
  }

  /** Takes it off (TCX), or lets go of it: a filter stays as long as its device. */
  close(): void {
    for (const link of this.#links) link.close();
    this.#object.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Attaches a witness to a device of a namespace. */
export function witness(netns: Netns, device: string, o: WitnessOptions = {}): Witness {
  return new Witness(netns, device, o);
}
