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
  ],
  reasons: [
    {
      names: ["forward.meter.cost"],
      text: (f) =>
        `with nothing else on the CPU the meter takes ${digits(f("meter.flows.10000"))} ns at 10 000 flows on this machine (\`meter.flows.10000\`; its control ${digits(f("meter.hashmap.flows.10000"))}), most of it waiting for memory; between two packets of the hook, forwarding and the generator's and the sink's own tables of 10 000 flows take their share of the caches as well.`,
    },
  ],
  run: benchForward,
};
