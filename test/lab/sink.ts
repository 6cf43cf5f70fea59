// Counts at the far end, flow by flow, and verifies what arrives: an XDP program, not the meter.
import { availableParallelism } from "node:os";
import {
  attachXdp,
  type BpfLink,
  type BpfObject,
  interfaceIndex,
  openNetns,
  openObject,
  withNetns,
} from "../../src/native/bpf-loader/index.ts";
import { eventually } from "./eventually.ts";
import type { Generator } from "./generator.ts";
import { MappedStructs } from "./mapped-struct.ts";
import type { Netns } from "./netns.ts";
import { describeTraffic, testProgram } from "./programs.ts";

export interface SinkFlow {
  packets: number;
  /** Of IP packets. */
  octets: number;
  /** Sum of the sequence numbers, modulo 2^64. */
  sum: bigint;
  /** Arrived when its CPU had seen that number or a higher one: meaningful if one CPU had them all. */
  late: number;
}

/** A packet that did not arrive as it was sent. */
export interface Mismatch {
  flow: number;
  sequence: number;
  part: string;
  frameOctets: number;
}

const PARTS = ["", "length", "header", "hop limit", "port or flow id", "payload", "checksum"];

export class Sink {
  readonly #object: BpfObject;
  readonly #link: BpfLink;
  readonly #flows: MappedStructs;
  readonly #totals: MappedStructs;
  readonly #count: number;
  readonly #cpus: number = availableParallelism();

  constructor(netns: Netns, device: string, of: Generator, o: { verify?: boolean } = {}) {
    const file = testProgram("sink");
    this.#count = of.flows;
    this.#object = openObject(file);
    this.#object.setMaxEntries("sink_flows", of.flows * this.#cpus);
    this.#object.setMaxEntries("totals", this.#cpus);
    this.#object.load();
    const mapped = (map: string, struct: string) =>
      new MappedStructs(this.#object.map(map).mmap(), this.#object.layout(struct));
    this.#flows = mapped("sink_flows", "sink_flow");
    this.#totals = mapped("totals", "sink_totals");
    const traffic = mapped("traffic", "traffic");
    describeTraffic(traffic, of.frame, of);
    traffic.set(0, { verify: o.verify === true ? 1 : 0 });
    const handle = openNetns(netns.name);
    try {
      this.#link = withNetns(handle, () =>
        attachXdp(this.#object.program("count"), interfaceIndex(device), "native"),
      );
    } finally {
      handle.close();
    }
  }

  #total(name: string): number {
    let sum = 0n;
    for (let cpu = 0; cpu < this.#cpus; cpu++) sum += this.#totals.u64(cpu, name);
    return Number(sum);
  }

  /** Packets of the traffic that arrived so far. */
  get packets(): number {
    return this.#total("packets");
  }

  /** Their IP octets. */
  get octets(): number {
    return this.#total("octets");
  }

  /** Packets of no flow of the traffic; they were passed on. */
  get foreign(): number {
    return this.#total("foreign");
  }

  /** Packets that did not arrive as they were sent (with `verify`). */
  get mismatches(): number {
    return this.#total("mismatches");
  }

  /** The last of them that a CPU saw. */
  get mismatch(): Mismatch | undefined {
    for (let cpu = 0; cpu < this.#cpus; cpu++) {
      if (this.#totals.u64(cpu, "mismatches") === 0n) continue;
      return {
        flow: this.#totals.u32(cpu, "bad_flow"),
        sequence: this.#totals.u32(cpu, "bad_sequence"),
        part: PARTS[this.#totals.u32(cpu, "bad_part")]!,
        frameOctets: this.#totals.u32(cpu, "bad_length"),
      };
    }
    return undefined;
  }

  /** Waits until as many packets arrived in all; fails, saying how many did, if they do not. */
  async arrived(packets: number, timeout = 10_000): Promise<void> {
    try {
      await eventually(`${packets} packets`, () => this.packets >= packets, { timeout, every: 2 });
    } catch {
      throw new Error(`${this.packets} packets arrived of ${packets}`);
    }
    if (this.packets > packets) throw new Error(`${this.packets} packets arrived, not ${packets}`);
  }

  /** One flow. */
  flow(flow: number): SinkFlow {
    const sum: SinkFlow = { packets: 0, octets: 0, sum: 0n, late: 0 };
    for (let cpu = 0; cpu < this.#cpus; cpu++) {
      const at = cpu * this.#count + flow;
      sum.packets += Number(this.#flows.u64(at, "packets"));
      sum.octets += Number(this.#flows.u64(at, "octets"));
      sum.sum = BigInt.asUintN(64, sum.sum + this.#flows.u64(at, "sequence_sum"));
      sum.late += this.#flows.u32(at, "late");
    }
    return sum;
  }

  /** The flows of which packets arrived, by number. */
  flows(): Map<number, SinkFlow> {
    const flows = new Map<number, SinkFlow>();
    for (let flow = 0; flow < this.#count; flow++) {
      const counted = this.flow(flow);
      if (counted.packets > 0) flows.set(flow, counted);
    }
    return flows;
  }

  /** Starts to count at zero again; nothing may be under way. */
  reset(): void {
    this.#flows.clear();
    this.#totals.clear();
  }

  close(): void {
    this.#link.close();
    this.#object.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Counts, and drops, what `of` sends at a device (snk0) of a namespace. */
export function sink(
  netns: Netns,
  device: string,
  of: Generator,
  o: { verify?: boolean } = {},
): Sink {
  return new Sink(netns, device, of, o);
}
