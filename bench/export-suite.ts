// The export's figures: what they mean, the aims, and why one is missed.

import { benchExport } from "./export.ts";
import { digits, type Figure, type Suite } from "./suite.ts";

const SIZES = [1_000, 10_000, 100_000, 1_000_000];
const MOST = 1_000_000;

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
    { name: "export.record", meaning: "the same 4 096 records again and again" },
    { name: "export.record.encode", meaning: "of it: encoding alone" },
    {
      name: "export.resolve",
      meaning: "of the whole: reading the table, computing expected and lost",
    },
    {
      name: "export.still",
      meaning: `longest time that the event loop stood still in any drain of ${spaced(MOST)} flows`,
      aim: 20,
    },
  ];
}

export const exportSuite: Suite = {
  name: "export",
  title: "Export, a flow",
  intro: `A generation that the meter's own program filled (each flow one packet, one record of 256 octets) is sealed and goes through the agent's drain and an exporting process to a UDP socket: records of 143 octets, 10 a message, packets of at most 1 500 octets, IPv6 loopback. The exporter has one CPU. A receiver on the other counts messages and records and follows the sequence numbers; a lost message fails the benchmark.

On loopback the kernel hands a datagram to its receiver in the sender's time. The receiver takes whole what was sent by one call (\`UDP_GRO\`), so that the exporter pays for sending, and not for a collector that, elsewhere, has a machine of its own; \`export.single\` shows the difference.`,
  figures: figures(),
  reasons: [
    {
      names: [`export.flows.${MOST}`],
      text: (f) =>
        `reading the table takes ${digits(f("export.resolve"))} ns a flow (\`export.resolve\`), encoding ${digits(f("export.record.encode"))} (\`export.record.encode\`), the rest is the kernel's.`,
    },
    {
      names: ["export.still"],
      text: () =>
        "a slice of 4 096 flows is what runs between two turns of the event loop; on a shared machine the host may stop the CPU in the middle of one.",
    },
  ],
  run: benchExport,
};
