// The figures of kernel events: what they mean, the aims, and why one is missed.

import { benchEvents } from "./events.ts";
import { digits, type Suite } from "./suite.ts";

export const eventsSuite: Suite = {
  name: "events",
  title: "Kernel events",
  intro: `Real events: packets with a pre-allocated trace (trace type 0xf00000, 16 octets a node; beside it a DEX option, in which the generator numbers packets and which mainline Linux passes over) go through the three network namespaces of the forwarding benchmark, and the router's kernel sends an event for each. Generator, router and sink have one CPU; on the other a process of its own runs the agent's listener and collector: events are received, decoded, made into a record for each hop (of four hops also one of the path delay), and exported as IPFIX over UDP, packets of at most 1 500 octets, to the receiver of the export benchmark on the first CPU. A record that does not arrive there fails the benchmark, and so does an event that is neither received nor counted as dropped.

\`events.rate\` is found by halving: packets for 1.5 s at a rate, twice if need be (others use the machine), in bursts of 50 ms (at 200 000 a second 10 000 back to back); kept up with is a rate at which no event is dropped by the kernel and the last is taken at most 0.1 s after the last packet, so that no queue grows. CPU time is that of the whole process, its native thread and the kernel's part included, at 200 000 events a second in the same bursts; a measurement in which events were dropped is repeated once, then fails.

For comparison, the existing Go exporter on the same kind of events loses 83 % at 5 000 a second in bursts of 16, and takes about 70 µs of CPU for each that it exports.`,
  figures: [
    {
      name: "events.rate",
      meaning: "events a second without loss, from socket to IPFIX",
      atLeast: 200_000,
    },
    {
      name: "events.cpu",
      meaning: "CPU time, an event of one hop, from socket to IPFIX",
      aim: 2_000,
    },
    { name: "events.cpu.kernel", meaning: "of it: in the kernel" },
    {
      name: "events.cpu.decode",
      meaning: "the same without the exporter: from the socket to every field of every hop",
    },
    { name: "events.cpu.hops4", meaning: "CPU time, an event of four hops: five records" },
    { name: "events.forward.off", meaning: "the router forwards, IOAM off at its ingress" },
    { name: "events.forward.unheard", meaning: "IOAM on, nobody listens" },
    { name: "events.forward.heard", meaning: "IOAM on, one listener on the other CPU" },
  ],
  reasons: [
    {
      names: ["events.rate"],
      text: (f) =>
        `generator, router and sink share one CPU, which forwards ${digits(f("events.forward.heard"))} thousand packets a second with a listener, and an event costs the listener's ${digits(f("events.cpu") / 1000)} µs.`,
    },
    {
      names: ["events.cpu"],
      text: (f) => `${digits(f("events.cpu.kernel"))} ns of it are the kernel's.`,
    },
  ],
  run: benchEvents,
};
