// A process of its own that takes the kernel's IOAM events, and says what it took and what it cost.
//
// Usage: event-listener.ts NETNS [PORT]. With a port it is the agent's listener and collector, which
// export to [::1]:PORT; without one it decodes every event and finds every field of every hop.

import { once } from "node:events";
import { configOf } from "../src/agent/config/schema.ts";
import { LossCounts } from "../src/agent/options/loss-counts.ts";
import { collectorOf } from "../src/agent/sinks/collector-of.ts";
import { CollectorSink } from "../src/agent/sinks/collector-sink.ts";
import { TraceIds } from "../src/agent/trace/trace-records.ts";
import { TracedNetns } from "../src/agent/trace/traced-netns.ts";
import { createLogger } from "../src/cli/log.ts";
import { LINUX_TIMESTAMPS, nodeFields } from "../src/ioam/index.ts";
import { openNetns } from "../src/native/bpf-loader/index.ts";
import { type KernelEventCounters, listenToKernel } from "../src/netlink/index.ts";

/** Octets of a packet: an Ethernet's, since on loopback messages could be longer. */
const MTU = 1500;

/** What it answers when it is asked. */
export interface Taken {
  /** Events decoded. */
  events: number;
  /** Events that the kernel had to drop. */
  drops: number;
  malformed: number;
  /** Records exported. */
  records: number;
  /** CPU time of the whole process so far, microseconds. */
  user: number;
  system: number;
}

interface Listening {
  counters(): KernelEventCounters & { exportedTraceRecords?: number };
  close(): unknown;
}

function decodeAll(netnsName: string): Listening {
  const netns = openNetns(netnsName);
  const fields = nodeFields();
  const events = listenToKernel({ netns, keepAlive: true }, (batch) => {
    for (let event = batch.next(); event !== undefined; event = batch.next()) {
      for (let hop = 0; hop < event.hops; hop++) event.locate(hop, fields);
    }
  });
  netns.close();
  return events;
}

async function exportAll(netnsName: string, port: string): Promise<Listening> {
  const log = createLogger("warn");
  const config = configOf({
    trace: { source: "kernel", netns: [netnsName] },
    collectors: [{ address: `[::1]:${port}`, mtu: MTU }],
  });
  const notSent = new LossCounts();
  const collector = collectorOf(config.collectors[0]!, config, {
    log,
    notSent,
    ignored: () => notSent,
    interfaces: () => [],
  });
  await collector.begin();
  const sink = new CollectorSink(collector, notSent, () => config.observationDomainId);
  const around = {
    formats: LINUX_TIMESTAMPS,
    ids: new TraceIds(),
    sinks: () => [sink],
    log,
  };
  return TracedNetns.open(netnsName, around);
}

const [netnsName, port] = process.argv.slice(2);
const listening = port === undefined ? decodeAll(netnsName!) : await exportAll(netnsName!, port);
process.on("message", () => {
  const counters = listening.counters();
  const taken: Taken = {
    events: counters.netlinkEvents,
    drops: counters.netlinkDrops,
    malformed: counters.netlinkMalformed,
    records: counters.exportedTraceRecords ?? 0,
    ...process.cpuUsage(),
  };
  process.send!(taken);
});
process.send!("listening");
await once(process, "disconnect");
await listening.close();
process.exit();
