// What a collector received, added up flow by flow: flows are told apart by their DEX flow id.
import { readFile } from "node:fs/promises";
import { Decoder, signedValue, unsignedValue } from "../conformance/decoder.ts";
import { messages } from "./ipfix-messages.ts";

export interface ExportedFlow {
  records: number;
  packets: number;
  octets: number;
  lost: number;
  expected: number;
  reordered: number;
  duplicates: number;
}

export interface Exported {
  flows: Map<number, ExportedFlow>;
  messages: number;
  /** Of flows, without those of options. */
  records: number;
  /** Messages whose sequence number was wrong. */
  gaps: number;
}

const IOAM = 10383;
const OWN = 32473;

/** Element of a field that is added up, by enterprise and id. */
const SUMS: Record<string, { name: Exclude<keyof ExportedFlow, "records">; signed?: true }> = {
  "0/2": { name: "packets" },
  "0/1": { name: "octets" },
  [`${OWN}/105`]: { name: "lost", signed: true },
  [`${OWN}/106`]: { name: "expected" },
  [`${OWN}/107`]: { name: "reordered" },
  [`${OWN}/108`]: { name: "duplicates" },
};

function emptyFlow(): ExportedFlow {
  const zero = { packets: 0, octets: 0, lost: 0, expected: 0, reordered: 0, duplicates: 0 };
  return { records: 0, ...zero };
}

/** Decodes the messages of one session, from a file of them one after another (RFC 5655). */
export async function exportedFlows(file: string): Promise<Exported> {
  const decoder = new Decoder();
  const flows = new Map<number, ExportedFlow>();
  const exported: Exported = { flows, messages: 0, records: 0, gaps: 0 };
  for (const { octets } of messages(await readFile(file))) {
    exported.messages++;
    for (const { template, values } of decoder.decode(octets).records) {
      // Of the exporter's own options, not of a flow.
      if (template.scopeFieldCount > 0) continue;
      exported.records++;
      const keyAt = template.fields.findIndex((f) => f.enterprise === IOAM && f.id === 15);
      const flowId = Number(unsignedValue(values[keyAt]!));
      const flow = flows.get(flowId) ?? emptyFlow();
      flows.set(flowId, flow);
      flow.records++;
      for (const [i, { enterprise, id }] of template.fields.entries()) {
        const sum = SUMS[`${enterprise}/${id}`];
        if (sum === undefined) continue;
        flow[sum.name] += Number((sum.signed ? signedValue : unsignedValue)(values[i]!));
      }
    }
  }
  exported.gaps = decoder.gaps;
  return exported;
}

/** Adds the flows of one session to those of another. */
export function addFlows(to: Map<number, ExportedFlow>, from: Map<number, ExportedFlow>): void {
  for (const [flowId, flow] of from) {
    const sum = to.get(flowId) ?? emptyFlow();
    to.set(flowId, sum);
    for (const name of Object.keys(flow) as (keyof ExportedFlow)[]) sum[name] += flow[name];
  }
}
