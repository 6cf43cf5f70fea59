// The datapath's figures: what they mean, the aims, and why one is missed.

import { benchMeter } from "./meter.ts";
import { digits, type Figure, type Figures, type Suite } from "./suite.ts";

const AIMS = [
  [1, 35, "one flow"],
  [1_000, 40, "1 000 flows, visited at random"],
  [10_000, 65, "10 000 flows"],
  [100_000, 95, "100 000 flows"],
] as const;

/** What the architecture's spike measured: on the table, and of the control the least and the most. */
const SPIKE: Readonly<Record<number, readonly [number, number, number]>> = {
  1: [23, 34, 65],
  1000: [27, 40, 70],
  100000: [70, 105, 134],
};

function spikeRatio(flows: number): string {
  const spike = SPIKE[flows];
  if (spike === undefined) return "";
  const [table, least, most] = spike;
  return `; the architecture's spike, on another machine and with fewer fields: ${table} beside ${least}–${most}, ratio ${(table / most).toFixed(2)}–${(table / least).toFixed(2)}`;
}

const beside = (f: Figures, flows: number): string =>
  `${digits(f(`meter.flows.${flows}`))} beside ${digits(f(`meter.hashmap.flows.${flows}`))} ns, ratio ${(f(`meter.flows.${flows}`) / f(`meter.hashmap.flows.${flows}`)).toFixed(2)}`;

/** Why the table costs what it does with so many flows, in this run's figures. */
function memoryReason(flows: number, f: Figures): string {
  const base = f("meter.flows.1");
  return `all but ${digits(base)} ns of it (\`meter.flows.1\`) is memory. One read of one of so many records costs ${digits(f(`meter.memory.${flows}`))} ns on this machine (\`meter.memory.${flows}\`), and a packet needs an index entry, then the record's key and counters: two places, the second known only when the first has arrived. The control waits for the same memory: ${beside(f, flows)}${spikeRatio(flows)}.`;
}

function figures(): Figure[] {
  return [
    {
      name: "meter.none",
      meaning: "a packet without extension headers",
      aim: 3,
    },
    ...AIMS.map(([flows, aim, meaning]) => ({
      name: `meter.flows.${flows}`,
      meaning: `a DEX packet, ${meaning}`,
      aim,
      control: `meter.hashmap.flows.${flows}`,
    })),
    {
      name: "meter.first",
      meaning: "the first packet of a flow",
      aim: 250,
      control: "meter.hashmap.first",
    },
    {
      name: "meter.parse",
      meaning: "of `meter.flows.1`: reading the headers as far as the ports",
    },
    {
      name: "meter.cpus1",
      meaning: "one flow, one CPU, beside the following",
      control: "meter.hashmap.cpus1",
    },
    {
      name: "meter.cpus2",
      meaning: "two CPUs on one flow, sequence numbers dealt out one by one",
      aim: (f) => 1.1 * f("meter.cpus1"),
      control: "meter.hashmap.cpus2",
    },
    {
      name: "meter.cpus2.bursts",
      meaning: "the same, 16 packets in a row to a CPU",
      aim: (f) => 1.1 * f("meter.cpus1"),
      control: "meter.hashmap.cpus2.bursts",
    },
    {
      name: "meter.cpus1.unnumbered",
      meaning: "one flow without sequence numbers, one CPU",
      control: "meter.hashmap.cpus1.unnumbered",
    },
    {
      name: "meter.cpus2.unnumbered",
      meaning: "two CPUs on it",
      aim: (f) => 1.1 * f("meter.cpus1.unnumbered"),
      control: "meter.hashmap.cpus2.unnumbered",
    },
    {
      name: "meter.counter",
      meaning: "two CPUs adding to one counter: what each waits for the other",
    },
    ...AIMS.map(([flows, , meaning]) => ({
      name: `meter.memory.${flows}`,
      meaning: `one read of the table's memory, ${meaning}`,
    })),
  ];
}

export const meterSuite: Suite = {
  name: "meter",
  title: "The meter, a packet",
  intro: `\`BPF_PROG_TEST_RUN\` of the meter's own code, on one CPU; a program before it makes each packet that of another flow, with advancing sequence numbers, and what that and an empty program cost is measured in turn and subtracted. 131 072 records a generation. The kernel gives whole nanoseconds a run: one measurement is the mean of five runs of 200 000 packets.

The **control** is the same parser, record, clock, counters and sequence accounting on a preallocated BPF hash map (\`bench/programs/hashmap.bpf.c\`). On two CPUs it counts sequence numbers less exactly than the meter, which makes it the cheaper.`,
  figures: figures(),
  reasons: [
    {
      names: ["meter.none"],
      text: () =>
        "it is what counting the packet (the CPU's counters looked up, one addition) and looking at EtherType and next header take; the clock itself is good to about half a nanosecond.",
    },
    {
      names: ["meter.flows.1"],
      text: (f) =>
        `reading the headers takes ${digits(f("meter.parse"))} ns, hashing and comparing a key of 56 octets and counting the rest; sequence numbers cost ${digits(f("meter.cpus1") - f("meter.cpus1.unnumbered"))} (\`meter.cpus1\` less \`meter.cpus1.unnumbered\`). ${beside(f, 1)}${spikeRatio(1)}.`,
    },
    ...([1_000, 10_000, 100_000] as const).map((flows) => ({
      names: [`meter.flows.${flows}`],
      text: (f: Figures) => memoryReason(flows, f),
    })),
    {
      names: ["meter.cpus2", "meter.cpus2.bursts"],
      text: (f) =>
        `a numbered flow has one sequence state, exact over CPUs ([decisions.md](decisions.md), 3), so two CPUs that share a flow write one cache line in turn, and its way from one to the other is the price: ${digits(f("meter.counter"))} ns for a mere counter in this run (\`meter.counter\`; from run to run it changes with where the host puts the two CPUs). One by one, the numbers' own counter is shared and subtracted as well, and part of the waiting with it; in bursts it is not. Without sequence numbers nothing is shared: ${digits(f("meter.cpus2.unnumbered"))} ns beside ${digits(f("meter.cpus1.unnumbered"))}, where the control takes ${digits(f("meter.hashmap.cpus2.unnumbered"))}. Receive-side scaling keeps a flow on one CPU.`,
    },
  ],
  run: benchMeter,
};
