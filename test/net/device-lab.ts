// One device of a namespace, d0, with a wire to p0: for tests of what is attached to it.
import { type Direction, Meter } from "../../src/meter/index.ts";
import {
  interfaceIndex,
  openNetns,
  queryTc,
  queryTcx,
  withNetns,
} from "../../src/native/bpf-loader/index.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { createNetns, type Netns } from "../lab/netns.ts";
import { packetOctets } from "../lab/packet.ts";
import { type Station, station } from "../lab/station.ts";

const FRAME = packetOctets(dexPacket());

/** The packets of one flow that the meter has, by direction. */
export function counted(meter: Meter): Partial<Record<Direction, number>> {
  const flows = meter.dump().map((flow) => [flow.flowDirection, Number(flow.packetDeltaCount)]);
  return Object.fromEntries(flows) as Partial<Record<Direction, number>>;
}

export class DeviceLab {
  readonly netns: Netns;
  #station: Station;
  readonly #meters: Meter[] = [];

  constructor(netns: Netns) {
    this.netns = netns;
    this.#station = station(netns);
  }

  /** Makes d0 and p0, after a deletion anew. */
  async connect(): Promise<void> {
    await this.netns.ip("link add d0 type veth peer name p0", "link set d0 up", "link set p0 up");
    await this.#station.close();
    this.#station = station(this.netns);
  }

  /** The meter of the namespace, made if there is none; closed with the laboratory. */
  meter(): Meter {
    const meter = Meter.openOrCreate({ netns: this.netns.name, maxFlows: 1024 });
    this.#meters.push(meter);
    return meter;
  }

  /** Runs `action` in the namespace, given the index of d0. */
  inside<T>(action: (ifindex: number) => T): T {
    const handle = openNetns(this.netns.name);
    try {
      return withNetns(handle, () => action(interfaceIndex("d0")));
    } finally {
      handle.close();
    }
  }

  /** Ids of the programs on a hook of d0, in the order they run. */
  programs(hook: "tcx" | "tc", direction: Direction): number[] {
    const query = hook === "tcx" ? queryTcx : queryTc;
    return this.inside((ifindex) => query(ifindex, direction).map((one) => one.programId));
  }

  /** What `tc ARGUMENTS` prints. */
  async tc(args: string): Promise<string> {
    return (await this.netns.run("tc", args.split(" "))).stdout;
  }

  async hasClsact(): Promise<boolean> {
    return (await this.tc("qdisc show dev d0")).includes("clsact");
  }

  /** One DEX packet, always of the same flow, passes d0. */
  async pass(direction: Direction): Promise<void> {
    await this.#station.send(direction === "ingress" ? "p0" : "d0", FRAME);
  }

  /** The same, and `meter` counts it. */
  async passCounted(meter: Meter, direction: Direction): Promise<void> {
    const before = counted(meter)[direction] ?? 0;
    await this.pass(direction);
    await eventually("it is counted", () => counted(meter)[direction] === before + 1);
  }

  async close(): Promise<void> {
    const left = Meter.open(this.netns.name);
    left?.remove();
    left?.close();
    for (const meter of this.#meters) meter.close();
    await this.netns.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Makes the laboratory; `await using`. */
export async function deviceLab(): Promise<DeviceLab> {
  const lab = new DeviceLab(await createNetns("device"));
  try {
    await lab.connect();
    return lab;
  } catch (error) {
    await lab.close();
    throw error;
  }
}
