// The observation points of one meter: attached, described, detached in its network namespace.

import { IoamctlError } from "../errors.ts";
import {
  type BpfMap,
  type BpfProgram,
  interfaceIndex,
  interfaceName,
  type NetnsHandle,
  withNetns,
} from "../native/bpf-loader/index.ts";
import { type Direction, type Hook, type Hooked, Hooks, programFor } from "./hooks.ts";
import { noSuchInterface } from "./no-such-interface.ts";
import type { Pins } from "./pins.ts";

/** An observation point: `programId` is the kernel's, as bpftool shows it. */
export interface Attachment {
  netns: string | null;
  interfaceName: string;
  ifindex: number;
  direction: Direction;
  hook: Hook;
  programId: number;
}

/** Attachments of one meter. `handle`: its network namespace, undefined when that is gone. */
export class Attachments {
  readonly #hooks: Hooks;
  readonly #programs: Record<string, BpfProgram>;
  readonly #handle: NetnsHandle | undefined;
  readonly #netns: string | null;

  constructor(
    map: BpfMap,
    pins: Pins,
    programs: Record<string, BpfProgram>,
    handle: NetnsHandle | undefined,
    netns: string | null,
  ) {
    this.#hooks = new Hooks(map, pins);
    this.#programs = programs;
    this.#handle = handle;
    this.#netns = netns;
  }

  /** Attaches to an interface; already attached there: nothing changes. Throws NO_SUCH_INTERFACE. */
  add(
    name: string,
    direction: Direction,
    hook: "auto" | Hook,
  ): { attachment: Attachment; created: boolean } {
    return this.#inside(() => {
      const ifindex = interfaceIndex(name);
      if (ifindex === 0) throw noSuchInterface(name, this.#netns);
      const known = this.#hooks.find(ifindex, direction);
      if (known !== undefined && this.#hooks.inForce(known, this.#programOf(known))) {
        return { attachment: this.#describe(known), created: false };
      }
      if (known !== undefined) this.#hooks.detach(known, this.#programOf(known));
      const program = this.#programs[programFor(ifindex, direction)]!;
      const hooked = this.#hooks.attach(program, ifindex, direction, hook);
      return { attachment: this.#describe(hooked), created: true };
    });
  }

  /** Those in force. */
  list(): Attachment[] {
    if (this.#handle === undefined) return [];
    return this.#inside(() =>
      this.#hooks
        .list()
        .filter((hooked) => this.#hooks.inForce(hooked, this.#programOf(hooked)))
        .map((hooked) => this.#describe(hooked)),
    );
  }

  /** Detaches from an interface, in one direction or both; returns what was detached. */
  remove(name: string, direction?: Direction): Attachment[] {
    return this.#inside(() => {
      const ifindex = interfaceIndex(name);
      const isMeant = (h: Hooked): boolean =>
        h.ifindex === ifindex && (direction ?? h.direction) === h.direction;
      return this.#hooks
        .list()
        .filter(isMeant)
        .map((hooked) => {
          const attachment = this.#describe(hooked);
          this.#hooks.detach(hooked, this.#programOf(hooked));
          return attachment;
        });
    });
  }

  /** Detaches from everything; with the network namespace the interfaces are gone already. */
  removeAll(): void {
    if (this.#handle === undefined) return;
    this.#inside(() => {
      for (const hooked of this.#hooks.list()) {
        this.#hooks.detach(hooked, this.#programOf(hooked));
      }
    });
  }

  #inside<T>(action: () => T): T {
    if (this.#handle === undefined) {
      throw new IoamctlError(
        "NETNS_GONE",
        "the network namespace of this meter is gone: run 'ioamctl detach --all'",
      );
    }
    return withNetns(this.#handle, action);
  }

  #programOf(hooked: Hooked): BpfProgram | undefined {
    if (interfaceName(hooked.ifindex) === undefined) return undefined;
    return this.#programs[programFor(hooked.ifindex, hooked.direction)];
  }

  #describe(hooked: Hooked): Attachment {
    return {
      netns: this.#netns,
      interfaceName: interfaceName(hooked.ifindex) ?? `if${hooked.ifindex}`,
      ifindex: hooked.ifindex,
      direction: hooked.direction,
      hook: hooked.hook,
      programId: this.#programOf(hooked)?.id ?? 0,
    };
  }
}
