// One run of the agent over a router laboratory, exporting to several collectors at once.
import { Meter } from "../../src/meter/index.ts";
import { startAgent } from "../lab/agent.ts";
import { type Collector, collector, type Sender } from "../lab/collector.ts";
import { Nfacctd, type NfacctdResult } from "../lab/nfacctd.ts";
import { Nfcapd, type NfcapdResult } from "../lab/nfcapd.ts";
import { type RouterLab, router } from "../lab/router.ts";
import { NFACCTD_OPTIONS } from "./collector-values.ts";
import { sendTrips, type Trip, type WantedRecord } from "./trips.ts";

export interface RunOptions {
  /** As the agent's configuration has them, without their netns. */
  interfaces: { name: string; direction?: "ingress" | "egress" | "both" }[];
  observationDomainId?: number;
  /** net.ipv6.ioam6_id of the router: as the kernel has it unless told. */
  nodeId?: number;
  /** Makes what is needed in the laboratory and says what to send. */
  trips: (lab: RouterLab) => Promise<Trip[]>;
}

/** The collectors that keep the messages: where they listen, and the mtu that the agent is given. */
export const COLLECTORS: readonly { address: "::1" | "127.0.0.1"; mtu?: number }[] = [
  { address: "::1", mtu: 1400 },
  { address: "127.0.0.1", mtu: 512 },
  { address: "::1", mtu: 9000 },
  { address: "127.0.0.1" },
];

/** Octets of an IPFIX message in a packet of `mtu` octets; loopback's path counts as 9000. */
export function messageLimit({ address, mtu = 9000 }: (typeof COLLECTORS)[number]): number {
  return mtu - (address === "::1" ? 40 : 20) - 8;
}

export interface ExportRun {
  /** The records that there must be. */
  wanted: WantedRecord[];
  exitStatus: number | null;
  agentLog: string;
  /** In the order of COLLECTORS. Their files are there until `close`. */
  senders: Sender[];
  nfcapd: NfcapdResult;
  nfacctd: NfacctdResult;
  close(): Promise<void>;
}

/** Sends, has the agent export everything at its end, and has every collector tell what it got. */
export async function exportRun(o: RunOptions): Promise<ExportRun> {
  await using lab = await router();
  const receivers: Collector[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(receivers.splice(0).map((one) => one.close()));
  };
  try {
    for (const { address } of COLLECTORS) receivers.push(await collector({ address }));
    await using others = await OtherCollectors.start();
    if (o.nodeId !== undefined) await lab.router.sysctl({ "net.ipv6.ioam6_id": o.nodeId });
    const trips = await o.trips(lab);
    const targets = [
      ...COLLECTORS.map(({ mtu }, i) => ({ address: receivers[i].target, mtu })),
      ...others.targets.map((address) => ({ address })),
    ];
    const agent = await startAgent(
      JSON.stringify({
        ...(o.observationDomainId !== undefined && { observationDomainId: o.observationDomainId }),
        interfaces: o.interfaces.map((one) => ({ ...one, netns: lab.router.name })),
        meter: { maxFlows: 8192, activeTimeout: "1h" },
        collectors: targets,
      }),
    );
    let wanted: WantedRecord[];
    let exitStatus: number | null;
    try {
      wanted = await send(trips, lab);
    } finally {
      exitStatus = await agent.stop();
    }
    const senders = await Promise.all(receivers.map((one) => one.sender()));
    const agentLog = agent.process.errors;
    return { wanted, exitStatus, agentLog, senders, ...(await others.stop()), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function send(trips: Trip[], lab: RouterLab): Promise<WantedRecord[]> {
  const meter = Meter.open(lab.router.name)!;
  try {
    return await sendTrips(trips, () => meter.counters().dexPackets);
  } finally {
    meter.close();
  }
}

/** nfcapd and nfacctd, which decode for themselves. */
class OtherCollectors {
  readonly #nfcapd: Nfcapd;
  readonly #nfacctd: Nfacctd;
  #stopped = false;

  private constructor(nfcapd: Nfcapd, nfacctd: Nfacctd) {
    this.#nfcapd = nfcapd;
    this.#nfacctd = nfacctd;
  }

  static async start(): Promise<OtherCollectors> {
    const nfcapd = await Nfcapd.start();
    return new OtherCollectors(nfcapd, await Nfacctd.start(NFACCTD_OPTIONS));
  }

  get targets(): string[] {
    return [this.#nfcapd.target, this.#nfacctd.target];
  }

  async stop(): Promise<{ nfcapd: NfcapdResult; nfacctd: NfacctdResult }> {
    this.#stopped = true;
    const [nfcapd, nfacctd] = await Promise.all([this.#nfcapd.stop(), this.#nfacctd.stop()]);
    return { nfcapd, nfacctd };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#stopped) await Promise.allSettled([this.#nfcapd.stop(), this.#nfacctd.stop()]);
  }
}
