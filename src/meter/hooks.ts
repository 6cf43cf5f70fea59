// Attaches programs to interfaces: TCX where the kernel has it, else clsact; and takes them off again.

import { IoamctlError } from "../errors.ts";
import {
  attachTc,
  attachTcx,
  type BpfMap,
  type BpfProgram,
  detachTc,
  deviceType,
  interfaceName,
  openPinnedLink,
  queryTc,
  removeQdisc,
} from "../native/bpf-loader/index.ts";
import { layoutOf } from "./layout.ts";
import type { Pins } from "./pins.ts";

export type Direction = "ingress" | "egress";
export type Hook = "tcx" | "tc";

/** What is attached where, as the pinned map `attachments` remembers it. */
export interface Hooked {
  ifindex: number;
  direction: Direction;
  hook: Hook;
  handle: number;
  priority: number;
  createdQdisc: boolean;
}

/** Device types (ARPHRD_*) whose packets begin with the IP header at tc. */
const WITHOUT_LINK_LAYER = new Set([512, 519, 768, 769, 776, 778, 823, 65534]);
const ETHERNET = new Set([1, 772]);

/** The program for a device: packets of tunnels and the like have no Ethernet header. */
export function programFor(ifindex: number, direction: Direction): string {
  const type = deviceType(ifindex);
  if (ETHERNET.has(type)) return `ioam_${direction}`;
  if (WITHOUT_LINK_LAYER.has(type)) return `ioam_${direction}_l3`;
  throw new IoamctlError(
    "LINK_LAYER_UNKNOWN",
    `${interfaceName(ifindex)} has a link layer that ioamctl does not read (device type ${type}): attach to an Ethernet or an IP tunnel interface`,
  );
}

function encodeKey(ifindex: number, direction: Direction): Uint8Array {
  const key = new Uint8Array(layoutOf("attachment_key").size);
  const view = new DataView(key.buffer);
  const { fields } = layoutOf("attachment_key");
  view.setUint32(fields.ifindex!.offset, ifindex, true);
  view.setUint32(fields.egress!.offset, direction === "egress" ? 1 : 0, true);
  return key;
}

function decode(key: Uint8Array, value: Uint8Array): Hooked {
  const k = new DataView(key.buffer, key.byteOffset);
  const v = new DataView(value.buffer, value.byteOffset);
  const kf = layoutOf("attachment_key").fields;
  const vf = layoutOf("attachment").fields;
  return {
    ifindex: k.getUint32(kf.ifindex!.offset, true),
    direction: k.getUint32(kf.egress!.offset, true) === 1 ? "egress" : "ingress",
    hook: v.getUint32(vf.tc!.offset, true) === 1 ? "tc" : "tcx",
    handle: v.getUint32(vf.handle!.offset, true),
    priority: v.getUint32(vf.priority!.offset, true),
    createdQdisc: v.getUint32(vf.created_qdisc!.offset, true) === 1,
  };
}

function encode(hooked: Hooked): Uint8Array {
  const value = new Uint8Array(layoutOf("attachment").size);
  const view = new DataView(value.buffer);
  const { fields } = layoutOf("attachment");
  view.setUint32(fields.tc!.offset, hooked.hook === "tc" ? 1 : 0, true);
  view.setUint32(fields.handle!.offset, hooked.handle, true);
  view.setUint32(fields.priority!.offset, hooked.priority, true);
  view.setUint32(fields.created_qdisc!.offset, hooked.createdQdisc ? 1 : 0, true);
  return value;
}

/** The attachments of one meter. Calls that attach or detach a clsact filter need its netns entered. */
export class Hooks {
  readonly #map: BpfMap;
  readonly #pins: Pins;

  constructor(map: BpfMap, pins: Pins) {
    this.#map = map;
    this.#pins = pins;
  }

  list(): Hooked[] {
    return this.#map.keys().flatMap((key) => {
      const value = this.#map.lookup(key);
      return value === undefined ? [] : [decode(key, value)];
    });
  }

  find(ifindex: number, direction: Direction): Hooked | undefined {
    const key = encodeKey(ifindex, direction);
    const value = this.#map.lookup(key);
    return value === undefined ? undefined : decode(key, value);
  }

  attach(program: BpfProgram, ifindex: number, direction: Direction, hook: "auto" | Hook): Hooked {
    const hooked = hook === "tc" ? undefined : this.#attachTcx(program, ifindex, direction, hook);
    if (hooked !== undefined) return hooked;
    const { handle, priority, createdQdisc } = attachTc(program, ifindex, direction);
    const filter: Hooked = { ifindex, direction, hook: "tc", handle, priority, createdQdisc };
    this.#map.update(encodeKey(ifindex, direction), encode(filter));
    return filter;
  }

  #attachTcx(
    program: BpfProgram,
    ifindex: number,
    direction: Direction,
    hook: "auto" | Hook,
  ): Hooked | undefined {
    try {
      const link = attachTcx(program, ifindex, direction);
      link.pin(this.#pins.link(ifindex, direction));
      link.close();
    } catch (error) {
      if (hook === "auto" && error instanceof IoamctlError && error.code === "TCX_UNSUPPORTED") {
        return undefined;
      }
      throw error;
    }
    const hooked: Hooked = {
      ifindex,
      direction,
      hook: "tcx",
      handle: 0,
      priority: 0,
      createdQdisc: false,
    };
    this.#map.update(encodeKey(ifindex, direction), encode(hooked));
    return hooked;
  }

  /** Takes our program off; a clsact qdisc only if we made it and nobody else uses it by now. */
  detach(hooked: Hooked, program: BpfProgram | undefined): void {
    const { ifindex, direction } = hooked;
    if (hooked.hook === "tcx") {
      this.#detachLink(this.#pins.link(ifindex, direction));
    } else if (program !== undefined) {
      detachTc(ifindex, direction, hooked.handle, hooked.priority, program.id);
      // As it is now: detaching the other direction may just have handed that duty over.
      if (this.find(ifindex, direction)?.createdQdisc) this.#leaveQdisc(hooked);
    }
    this.#map.delete(encodeKey(ifindex, direction));
  }

  /**
   * At once: a link whose pin is removed goes on until the kernel finds the time, and packets would
   * be counted after the last rotation, or twice by one that is attached anew.
   */
  #detachLink(path: string): void {
    try {
      const link = openPinnedLink(path);
      try {
        link.detach();
      } finally {
        link.close();
      }
    } catch (error) {
      // Somebody else removed the pin, and with it the link.
      if (!(error instanceof IoamctlError && error.code === "NO_SUCH_LINK")) throw error;
    }
    this.#pins.remove(path);
  }

  /** The other direction's filter, if it is ours, takes over the duty of removing the qdisc. */
  #leaveQdisc(hooked: Hooked): void {
    const other = this.find(hooked.ifindex, hooked.direction === "ingress" ? "egress" : "ingress");
    if (other?.hook === "tc") {
      this.#map.update(
        encodeKey(other.ifindex, other.direction),
        encode({ ...other, createdQdisc: true }),
      );
    } else {
      removeQdisc(hooked.ifindex);
    }
  }

  /**
   * Is the attachment still in force? The interface may have gone, or somebody removed it.
   * `program`: ours for that device; undefined when the interface is gone.
   */
  inForce(hooked: Hooked, program: BpfProgram | undefined): boolean {
    if (hooked.hook === "tc") {
      if (program === undefined) return false;
      return queryTc(hooked.ifindex, hooked.direction).some(
        ({ handle, priority, programId }) =>
          handle === hooked.handle && priority === hooked.priority && programId === program.id,
      );
    }
    try {
      const link = openPinnedLink(this.#pins.link(hooked.ifindex, hooked.direction));
      try {
        return link.info().ifindex === hooked.ifindex;
      } finally {
        link.close();
      }
    } catch {
      return false;
    }
  }
}
