// Flows and traces on their way to an exporter: as records in memory, and what became of them.
import type { ExportContext, Peer } from "../../ipfix/index.ts";
import type { LossCounts } from "../options/loss-counts.ts";
import {
  type AgentSink,
  type Batch,
  type Dropped,
  NOTHING_DROPPED,
  type TraceBatch,
} from "../sink.ts";
import type { CollectorStatus, Exporter } from "./exporter.ts";

/** What the templates of flows ask for, in an export without any. */
const NO_FLOWS: ExportContext = { values: { flowEndReason: 0, ioamNodeId: 0 } };

/** A collector, or several of which one takes everything, as a sink. */
export class CollectorSink implements AgentSink {
  readonly name: string;
  readonly #exporter: Exporter;
  readonly #notSent: LossCounts;
  readonly #domainOf: (netns: string | null) => number;

  /** What is not sent is added to `notSent`; `domainOf`: the observation domain of data from there. */
  constructor(exporter: Exporter, notSent: LossCounts, domainOf: (netns: string | null) => number) {
    this.#notSent = notSent;
    this.#domainOf = domainOf;
    this.name = exporter.name;
    this.#exporter = exporter;
  }

  async take(batch: Batch): Promise<Readonly<Dropped>> {
    const { netns, sealed, slice, context, signal } = batch;
    const { offsets, kinds, count } = slice;
    const records = {
      buffer: sealed.buffer,
      offsets,
      kinds,
      count,
      context,
      observationDomainId: this.#domainOf(netns),
    };
    const { dropped } = await this.#exporter.export(records, signal);
    if (dropped.length === 0) return NOTHING_DROPPED;
    const sum = sumOf(batch, dropped);
    this.#notSent.add(sum);
    return sum;
  }

  async takeTraces({ netns, records, signal }: TraceBatch): Promise<number> {
    const { buffer, offsets, kinds, count } = records;
    const observationDomainId = this.#domainOf(netns);
    const traces = { buffer, offsets, kinds, count, context: NO_FLOWS, observationDomainId };
    const { dropped } = await this.#exporter.export(traces, signal);
    this.#notSent.add({ records: dropped.length, packets: 0, octets: 0 });
    return dropped.length;
  }

  get peers(): readonly Peer[] {
    return this.#exporter.peers;
  }

  status(): CollectorStatus[] {
    return this.#exporter.status();
  }

  async close(): Promise<void> {
    await this.#exporter.close();
  }
}

/** What the records at these places of a slice have counted. */
function sumOf({ sealed, slice }: Batch, places: Uint32Array): Dropped {
  const { fields } = sealed.layout;
  const packetsAt = fields.packets!.offset;
  const octetsAt = fields.octets!.offset;
  const view = new DataView(sealed.buffer);
  const sum = { records: places.length, packets: 0, octets: 0 };
  for (const place of places) {
    const record = 4 * slice.offsets[place]!;
    sum.packets += Number(view.getBigUint64(record + packetsAt, true));
    sum.octets += Number(view.getBigUint64(record + octetsAt, true));
  }
  return sum;
}
