// The forwarding figures: what they mean, the aims, and why one is missed.

import { benchForward } from "./forward.ts";
import { digits, type Suite } from "./suite.ts";

export const forwardSuite: Suite = {
  name: "forward",
  title: "Forwarding",
  intro: `Three network namespaces in a row: a generator (XDP frames redirected to a veth device), a router that forwards IPv6, and a sink that counts in XDP; all on one CPU, as fast as it goes, so that a packet's time includes its making and counting. DEX packets of 150 octets, 10 000 flows at random. In turn, round after round: nothing at the router's ingress, an empty program there (TCX), the meter. Each packet must arrive, and be counted by the meter.`,
  figures: [
    { name: "forward.none", meaning: "no hook" },
    { name: "forward.empty", meaning: "an empty program at ingress" },
    { name: "forward.meter", meaning: "the meter at ingress" },
    { name: "forward.empty.cost", meaning: "an empty program, above no hook" },
    { name: "forward.meter.cost", meaning: "the meter, above an empty program", aim: 60 },
    { name: "forward.meter.cost.1", meaning: "the same with one flow instead of 10 000" },
  ],
  reasons: [
    {
      names: ["forward.meter.cost"],
      text: (f) =>
        `with one flow it is ${digits(f("forward.meter.cost.1"))} ns (\`forward.meter.cost.1\`), so the rest is memory: 10 000 flows have 10 000 index entries and twice as many cache lines of records, and between two packets of the hook, forwarding and the generator's and the sink's tables of as many flows use the caches too. With them to itself the meter takes ${digits(f("meter.flows.10000"))} ns (\`meter.flows.10000\`; the control ${digits(f("meter.hashmap.flows.10000"))}).`,
    },
  ],
  run: benchForward,
};
