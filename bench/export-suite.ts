// The export's figures: what they mean, the aims, and why one is missed.

import { benchAgentExport } from "./agent-export.ts";
import { compareExporters } from "./comparison.ts";
import { benchDrains } from "./export.ts";
import { Measurements } from "./result.ts";
import { digits, type Figure, type Figures, type Part, type Suite } from "./suite.ts";

const SIZES = [1_000, 10_000, 100_000, 1_000_000];
const MOST = 1_000_000;
const RECORDS_PER_MESSAGE = 15;

const spaced = (flows: number): string => String(flows).replace(/(?<=\d)(?=(\d{3})+$)/g, " ");

function figures(): Figure[] {
  return [
    ...SIZES.map((flows) => ({
      name: `export.flows.${flows}`,
      meaning: `${spaced(flows)} flows, from the sealed table to the socket`,
      ...(flows === MOST && { aim: 150 }),
    })),
    {
      name: "export.single",
      meaning: "10 000 flows to a collector on this host that takes one datagram after another",
    },
    {
      name: "export.resolve",
      meaning: "of the whole: reading the table, computing expected and lost",
    },
    {
      name: "export.encode",
      meaning: "of the whole: encoding and laying out messages (the same 4 096 flows)",
    },
    {
      name: "export.still",
      meaning: `the longest that the event loop stood still in any drain of ${spaced(MOST)} flows`,
      aim: 20,
    },
  ];
}

const AGENT: Part = {
  title: "The agent",
  intro: `The agent as an operator runs it (\`ioamctl agent\`, one meter, one UDP collector), its process on one CPU. A generator on the other sends a packet of each of ${spaced(MOST)} flows through a router; the agent exports them when its active timeout is over. CPU time is that of the whole process, the kernel's part included, from the last packet on: waiting, the grace period, draining, encoding, sending. The event loop is watched (\`monitorEventLoopDelay\`, 1 ms) from the first exported flow to the last, \`RssAnon\` all the time. A first round, in which the engine still compiles, counts for memory alone.`,
  figures: [
    { name: "export.agent", meaning: "CPU time, a flow", aim: 150 },
    {
      name: "export.eventloop.p99",
      meaning: "delay of the event loop at the 99th percentile",
      aim: 20,
    },
    { name: "export.eventloop.max", meaning: "the longest delay of all rounds" },
    { name: "export.rssanon", meaning: "the most anonymous memory at any time", aim: 120 },
  ],
};

const PEERS = [
  ["", "the buffered exporter takes so many times as long", 4],
  [".sendset.10", "`SendSet` with 10 records a message", 10],
  [".sendset.1", "`SendSet` with 1 record a message", 10],
] as const;

const peers = (suffix: string, aims: boolean): Figure[] =>
  PEERS.map(([peer, meaning, atLeast]) => ({
    name: `export.ratio.goipfix${peer}${suffix}`,
    meaning,
    ...(aims && { atLeast }),
  }));

/** What the kernel takes for a record where the receiver takes one datagram after another. */
const kernelSingle = (f: Figures): number => f("export.record.single") - f("export.record.encode");

const COMPARISON: Part = {
  title: "Beside go-ipfix",
  intro: `The same records, of 128 octets in memory and 89 in 13 fields on the wire (two times that are converted from nanoseconds to milliseconds, two IPv6 addresses, ports, protocol, flow label, two interfaces, two counters, a flow id; \`bench/flow-records.ts\`), from that layout to the socket, IPv4 loopback, packets of at most 1 400 octets, ${RECORDS_PER_MESSAGE} records a message. go-ipfix 0.17 with its buffered exporter, 0.8.1 with \`SendSet\` (\`bench/go-ipfix\`; \`go\` fetches the modules by name, where there is none the bench says so and goes on); both use their records and sets again, which is the fastest way they have. Each sender is a process of its own on one CPU, the receiver (\`bench/programs/receiver.c\`, for all of them the same) has the other; it never sleeps while records come, so that nobody pays for waking it, and it counts: a lost record, and one that differs from the others' first, fails the benchmark. In turn, round after round; CPU time of the sender's process, the kernel's part included. A ratio is the median of those within a round.

\`export.record\`: the receiver takes whole what was sent by one call (\`UDP_GRO\`), as above; go-ipfix sends one datagram a call, for it this makes no difference. \`.single\`: the receiver takes one datagram after another. On loopback the sender's CPU then cuts the datagrams apart, queues each one, and takes back their memory when they have been read; that is the kernel's work and more than all of ours.

Over TCP and TLS each sends messages as long as it does by itself (go-ipfix up to 65 535 octets); TLS 1.3 with certificates on both sides, AES-256-GCM, decrypted by Node.js on the receiver's CPU.`,
  figures: [
    { name: "export.record", meaning: "a record, UDP", control: "export.goipfix", aim: 80 },
    { name: "export.record.encode", meaning: "of it: encoding and laying out messages" },
    ...peers("", true),
    {
      name: "export.record.single",
      meaning: "a record, UDP, one datagram after another",
      control: "export.goipfix.single",
      aim: 80,
    },
    ...peers(".single", true),
    { name: "export.record.tcp", meaning: "a record, TCP", control: "export.goipfix.tcp" },
    ...peers(".tcp", false),
    { name: "export.record.tls", meaning: "a record, TLS 1.3", control: "export.goipfix.tls" },
    ...peers(".tls", false),
  ],
};

export const exportSuite: Suite = {
  name: "export",
  title: "Export, a flow",
  intro: `A generation that the meter's own program filled (each flow one packet, one record of 256 octets) is sealed and goes through the agent's drain and an exporting process to a UDP socket: records of 143 octets, 10 a message, packets of at most 1 500 octets, IPv6 loopback. The exporter has one CPU. A receiver on the other counts messages and records and follows the sequence numbers; a lost message fails the benchmark.

On loopback the kernel hands a datagram to its receiver in the sender's time. The receiver takes whole what was sent by one call (\`UDP_GRO\`), so that the exporter pays for sending, and not for a collector that, elsewhere, has a machine of its own; \`export.single\` shows the difference.`,
  figures: figures(),
  parts: [AGENT, COMPARISON],
  reasons: [
    {
      names: [`export.flows.${MOST}`, "export.agent"],
      text: (f) =>
        `reading the table takes ${digits(f("export.resolve"))} ns a flow (\`export.resolve\`), encoding ${digits(f("export.encode"))} (\`export.encode\`), the rest is the kernel's.`,
    },
    {
      names: ["export.still"],
      text: () =>
        "a slice of 4 096 flows is what runs between two turns of the event loop; on a shared machine the host may stop the CPU in the middle of one.",
    },
    {
      names: ["export.record", "export.ratio.goipfix", "export.ratio.goipfix.sendset.10"],
      text: (f) =>
        `encoding takes ${digits(f("export.record.encode"))} ns a record (\`export.record.encode\`), the rest is the kernel's.`,
    },
    {
      names: ["export.ratio.goipfix.single", "export.ratio.goipfix.sendset.10.single"],
      text: (f) =>
        `of \`export.record.single\` ${digits(kernelSingle(f))} ns are the kernel's, for cutting, queueing and freeing datagrams of ${RECORDS_PER_MESSAGE} records in the sender's time; if encoding took no time at all, the ratios were ${digits(f("export.goipfix.single") / kernelSingle(f))} and ${digits(f("export.goipfix.sendset.10.single") / kernelSingle(f))}.`,
    },
  ],
  async run() {
    const m = new Measurements();
    await benchAgentExport(m);
    await compareExporters(m);
    await benchDrains(m);
    return m.results();
  },
};
