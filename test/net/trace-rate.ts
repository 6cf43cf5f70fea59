// Packets with a trace at a steady rate through a router whose events an agent exports.
import { expect } from "vitest";

import {
  forgetTraceLedger,
  readTraceLedgers,
  type TraceLedger,
} from "../../src/agent/trace/trace-ledger.ts";
import { startAgent } from "../lab/agent.ts";
import { collector } from "../lab/collector.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { generator } from "../lab/generator.ts";
import { setUpNode, traceOption } from "../lab/ioam-kernel.ts";
import type { MessageFacts } from "../lab/ipfix-messages.ts";
import type { Netns } from "../lab/netns.ts";
import { router } from "../lab/router.ts";
import { inodeOf } from "./private-host.ts";

const TRACE = { namespace: 123, traceType: 0xf00000, nodes: [], room: 48 };

export interface TraceRateOutcome {
  /** How long the sending took. */
  seconds: number;
  /** IPv6 packets that the router received, each with a trace: each an event. */
  received: number;
  /** The agent's, once it ended. */
  counters: TraceLedger["counters"];
  /** What the collector received. */
  collected: MessageFacts;
}

/** IPv6 packets that a namespace has received. */
async function packetsIn(netns: Netns): Promise<number> {
  const { stdout } = await netns.run("cat", ["/proc/net/snmp6"]);
  return Number(/^Ip6InReceives\s+(\d+)$/m.exec(stdout)![1]);
}

function countersOf(netns: Netns): TraceLedger["counters"] {
  return readTraceLedgers().find((one) => one.netns === netns.name)!.counters;
}

/** Sends so many packets, then ends the agent. Without a rate: as fast as can be, on both CPUs. */
export async function runTraceRate(packets: number, rate?: number): Promise<TraceRateOutcome> {
  await using lab = await router();
  await setUpNode(lab.router, {
    id: 42,
    interfaces: { in0: { id: 11 }, out0: { id: 12 } },
    enabled: ["in0"],
    namespaces: [{ id: 123 }],
  });
  const packet = dexPacket({ source: "fd00:1::", before: [traceOption(TRACE)] });
  using gen = generator(lab.source, "src0", { flows: 100, packet });
  await using receiver = await collector();
  const before = await packetsIn(lab.router);
  const agent = await startAgent(`
trace: { source: kernel, netns: [${lab.router.name}] }
collectors: [{ address: "${receiver.target}", mtu: 1400 }]
`);
  try {
    const sent = await gen.send(rate === undefined ? { packets, cpus: [0, 1] } : { packets, rate });
    const received = (await packetsIn(lab.router)) - before;
    await eventually("all events", () => {
      const { netlinkEvents, netlinkDrops } = countersOf(lab.router);
      return netlinkEvents + netlinkDrops >= received;
    });
    await agent.stop();
    const [collected] = await receiver.facts();
    return {
      seconds: sent.seconds,
      received,
      counters: countersOf(lab.router),
      collected: collected!,
    };
  } finally {
    await agent.kill();
    forgetTraceLedger(inodeOf(lab.router));
  }
}

/** Every packet was an event, and every event a record at the collector. */
export function expectAllExported(outcome: TraceRateOutcome, packets: number): void {
  expect(outcome).toMatchObject({
    received: packets,
    counters: {
      netlinkEvents: packets,
      netlinkDrops: 0,
      netlinkMalformed: 0,
      traceRecords: packets,
      exportedTraceRecords: packets,
      droppedTraceRecords: 0,
    },
    collected: { records: packets, gaps: [], unknownSets: 0 },
  });
}
