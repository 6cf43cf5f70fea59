// Traffic at the rate the machine forwards: XDP frames made by a program and redirected to a device.
import { availableParallelism } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import {
  BPF_F_TEST_XDP_LIVE_FRAMES,
  type BpfObject,
  type BpfProgram,
  interfaceIndex,
  type NetnsHandle,
  openNetns,
  openObject,
  withNetns,
} from "../../src/native/bpf-loader/index.ts";
import { type Frame, frame } from "./frame.ts";
import { MappedStructs } from "./mapped-struct.ts";
import type { Netns } from "./netns.ts";
import type { Packet } from "./packet.ts";
import { type Anomaly, flowSteps, type SequenceFacts, type Step, sequenceFacts } from "./plan.ts";
import { describeTraffic, testProgram } from "./programs.ts";

export interface GeneratorOptions {
  flows: number;
  /** What flow 0 sends; see frame(). By default 150 octets of Ethernet, IPv6, DEX and UDP. */
  packet?: Packet;
  /** Of every flow: 0 unless told. */
  firstSequence?: number;
  plan?: Anomaly[];
  /** Whether the payload depends on flow and sequence number, for the sink to verify: true unless told. */
  pattern?: boolean;
}

export interface SendOptions {
  /** Exactly so many, over all CPUs. */
  packets: number;
  /** CPUs that send at the same time, [0] unless told: each its own share of the flows. */
  cpus?: number[];
  /** Each CPU sends every flow: packets of one flow leave by both. */
  spray?: boolean;
  /** "turn": flow after flow; "random": any. */
  order?: "turn" | "random";
  /** Packets a second, on average, in bursts of 50 ms; as fast as can be unless told. */
  rate?: number;
  /** Frames in one go, 64 unless told. */
  batch?: number;
}

export interface SendResult {
  packets: number;
  seconds: number;
}

export class Generator {
  readonly frame: Frame;
  readonly flows: number;
  readonly firstSequence: number;
  readonly pattern: boolean;
  readonly #object: BpfObject;
  readonly #program: BpfProgram;
  readonly #netns: NetnsHandle;
  readonly #traffic: MappedStructs;
  readonly #slots: MappedStructs;
  readonly #positions: MappedStructs;
  readonly #steps: Map<number, Step[]> = new Map();
  #salt = 0;

  constructor(netns: Netns, device: string, o: GeneratorOptions) {
    this.frame = frame(o.packet);
    this.flows = o.flows;
    this.firstSequence = o.firstSequence ?? 0;
    this.pattern = o.pattern ?? true;
    const file = testProgram("generator");
    const planned = this.#compile(o.plan ?? []);
    this.#object = openObject(file);
    this.#object.setMaxEntries("slots", availableParallelism());
    this.#object.setMaxEntries("flows", o.flows);
    this.#object.setMaxEntries("steps", Math.max(1, planned.length));
    this.#object.load();
    const mapped = (map: string, struct: string) =>
      new MappedStructs(this.#object.map(map).mmap(), this.#object.layout(struct));
    this.#traffic = mapped("traffic", "traffic");
    this.#slots = mapped("slots", "slot");
    this.#positions = mapped("flows", "flow");
    const steps = mapped("steps", "step");
    for (const [i, step] of planned.entries()) steps.set(i, { ...step });
    let first = 0;
    for (const [flow, own] of this.#steps) {
      this.#positions.set(flow, { first_step: first, steps: own.length });
      first += own.length;
    }
    this.#program = this.#object.program("generate");
    this.#netns = openNetns(netns.name);
    describeTraffic(this.#traffic, this.frame, this);
    this.#traffic.set(0, { interface: withNetns(this.#netns, () => interfaceIndex(device)) });
  }

  #compile(plan: Anomaly[]): Step[] {
    const byFlow = new Map<number, Anomaly[]>();
    for (const one of plan) {
      if (one.flow >= this.flows) throw new Error(`plan: there is no flow ${one.flow}`);
      byFlow.set(one.flow, [...(byFlow.get(one.flow) ?? []), one]);
    }
    for (const [flow, own] of byFlow) this.#steps.set(flow, flowSteps(own, this.firstSequence));
    return [...this.#steps.values()].flat();
  }

  /** Sends and returns when the last frame has left; `sink.arrived()` tells when it is there. */
  async send(o: SendOptions): Promise<SendResult> {
    const cpus = o.cpus ?? [0];
    const shares = this.#share(o.packets, cpus, o.spray ?? false);
    this.#traffic.set(0, { random: o.order === "random" ? 1 : 0 });
    const before = this.packets;
    const start = performance.now();
    await Promise.all(shares.map((share) => this.#run(share, o)));
    const seconds = (performance.now() - start) / 1000;
    const packets = this.packets - before;
    if (packets !== o.packets) throw new Error(`${packets} packets made, not ${o.packets}`);
    return { packets, seconds };
  }

  /** Splits flows (unless every CPU sends all) and packets so that flows get the same number. */
  #share(packets: number, cpus: number[], spray: boolean): { cpu: number; packets: number }[] {
    const shares = cpus.map((cpu, i) => {
      const bound = (n: number) => Math.floor((this.flows * n) / cpus.length);
      const first = spray ? 0 : bound(i);
      const flows = spray ? this.flows : bound(i + 1) - first;
      this.#salt += 0x9e3779b9;
      this.#slots.set(cpu, { first_flow: first, flows, salt: this.#salt });
      return { cpu, flows, packets: 0 };
    });
    const all = shares.reduce((sum, share) => sum + share.flows, 0);
    let left = packets - Math.floor(packets / all) * all;
    for (const share of shares) {
      const extra = Math.min(left, share.flows);
      share.packets = Math.floor(packets / all) * share.flows + extra;
      left -= extra;
    }
    return shares.filter((share) => share.packets > 0);
  }

  async #run(share: { cpu: number; packets: number }, o: SendOptions): Promise<void> {
    const rate = o.rate === undefined ? undefined : (o.rate * share.packets) / o.packets;
    const piece = rate === undefined ? share.packets : Math.max(1, Math.round(rate / 20));
    const start = performance.now();
    for (let sent = 0; sent < share.packets; ) {
      const repeat = Math.min(piece, share.packets - sent);
      await this.#program.testRunAsync({
        data: this.frame.octets,
        flags: BPF_F_TEST_XDP_LIVE_FRAMES,
        repeat,
        batchSize: o.batch ?? 64,
        netns: this.#netns,
        affinity: share.cpu,
      });
      sent += repeat;
      if (rate === undefined) continue;
      const early = start + (sent / rate) * 1000 - performance.now();
      if (early > 1) await delay(early);
    }
  }

  /** Packets made so far. */
  get packets(): number {
    let packets = 0;
    for (let cpu = 0; cpu < this.#slots.length; cpu++) {
      packets += Number(this.#slots.u64(cpu, "sent"));
      if (this.#slots.u32(cpu, "refused") > 0) throw new Error("frames shorter than their headers");
    }
    return packets;
  }

  /** Packets of a flow made so far. */
  position(flow: number): number {
    return this.#positions.u32(flow, "position");
  }

  /** What a meter ought to find of a flow, from packet `from` of it (0) to `to` (all made so far). */
  facts(flow: number, from = 0, to: number = this.position(flow)): SequenceFacts {
    return sequenceFacts(this.#steps.get(flow) ?? [], this.firstSequence, from, to);
  }

  close(): void {
    this.#object.close();
    this.#netns.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A generator that sends out of a device (src0) of a namespace; the peer needs GRO or XDP. */
export function generator(netns: Netns, device: string, o: GeneratorOptions): Generator {
  return new Generator(netns, device, o);
}
