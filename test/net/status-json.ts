// What `status --json` prints, and the conservation law (docs/counters.md) in its terms.
import { expect } from "vitest";

export interface AttachmentJson {
  netns: string | null;
  interfaceName: string;
  ifindex: number;
  direction: string;
  hook: string;
  programId: number;
}

export interface StatusJson {
  attachments: AttachmentJson[];
  tables: {
    netns: string | null;
    flows: number;
    packets: number;
    octets: number;
    maxFlows: number;
    memoryOctets: number;
  }[];
  /** Small enough here to be numbers. */
  counters: Record<string, number>;
  agent: { pid: number; state: string } | null;
  collectors: {
    name: string;
    state: string;
    error?: string;
    sessions: number;
    records: number;
    droppedRecords: number;
  }[];
  traces: { netns: string | null; pid: number | null }[];
  nodes: Record<string, unknown>[];
}

/** Every DEX packet is in exactly one place, and so are its octets. No traffic may run. */
export function expectConserved({ counters: c, tables }: StatusJson, dexPackets: number): void {
  const sum = (unit: "Packets" | "Octets", inTable: number, bare: string) =>
    c[`exported${unit}`]! +
    c[`dropped${unit}`]! +
    c[`flushed${unit}`]! +
    inTable +
    c[`dexMalformed${bare}`]! +
    c[`namespaceFiltered${bare}`]! +
    c[`collector${unit}`]! +
    c[`tableFull${bare}`]!;
  const packets = tables.reduce((total, table) => total + table.packets, 0);
  const octets = tables.reduce((total, table) => total + table.octets, 0);
  expect({
    dexPackets: c.dexPackets,
    packets: sum("Packets", packets, ""),
    octets: sum("Octets", octets, "Octets"),
  }).toEqual({ dexPackets, packets: dexPackets, octets: c.dexOctets });
}
