// A collector: flows and traces encoded as IPFIX and sent.
import type { Logger } from "pino";
import type { IoamctlError } from "../errors.ts";
import {
  compileEncoder,
  ElementRegistry,
  type ExportContext,
  ExportingProcess,
  ioamElements,
  openUdp,
} from "../ipfix/index.ts";
import { layoutOf } from "../meter/index.ts";
import type { AgentConfig, CollectorConfig } from "./config/agent-config.ts";
import { formatEndpoint } from "./config/endpoint.ts";
import { flowTemplates } from "./flow-template.ts";
import { LimitedLog } from "./limited-log.ts";
import {
  type AgentSink,
  type Batch,
  type Dropped,
  NOTHING_DROPPED,
  type TraceBatch,
} from "./sink.ts";
import { TRACE_LAYOUT } from "./trace/record-layout.ts";
import { traceTemplates } from "./trace/trace-template.ts";

/** What the templates of flows ask for, in an export without any. */
const NO_FLOWS: ExportContext = { values: { flowEndReason: 0, ioamNodeId: 0 } };

/** One transport session with a collector. */
export class CollectorSink implements AgentSink {
  readonly name: string;
  readonly #session: ExportingProcess;
  readonly #log: LimitedLog;
  #refusals = 0;

  private constructor(name: string, session: ExportingProcess, log: Logger) {
    this.name = name;
    this.#session = session;
    this.#log = new LimitedLog(log.child({ collector: name }));
  }

  /**
   * Opens the session. Throws COLLECTOR_UNKNOWN and COLLECTOR_UNREACHABLE when there is no way to
   * the collector, MTU_TOO_SMALL when a record would not fit.
   */
  static async open(
    { address, mtu, maxRate, templateRefresh }: CollectorConfig,
    { observationDomainId, enterpriseNumbers, trace }: AgentConfig,
    log: Logger,
  ): Promise<CollectorSink> {
    const registry = new ElementRegistry(ioamElements(enterpriseNumbers));
    const layout = layoutOf("flow_record");
    const encoders = flowTemplates(registry).map((template) => compileEncoder(template, layout));
    if (trace.source !== "off") {
      for (const template of traceTemplates(registry)) {
        encoders.push(compileEncoder(template, TRACE_LAYOUT));
      }
    }
    {
      const session = new ExportingProcess({
        destination: {
          name: `udp ${formatEndpoint(address)}`,
          connect: () => openUdp(address),
          retry: { first: 10_000, most: 60_000 },
        },
        observationDomainId,
        encoders,
        templateRefresh: templateRefresh / 1000,
        ...(mtu !== undefined && { mtu }),
        ...(maxRate !== undefined && { maxRate }),
      });
      return new CollectorSink(formatEndpoint(address), session, log);
    }
  }

  async take(batch: Batch): Promise<Readonly<Dropped>> {
    const { sealed, slice, context } = batch;
    const { dropped, error } = await this.#session.export(
      sealed.buffer,
      slice.offsets,
      slice.count,
      slice.kinds,
      context,
    );
    this.#tell(dropped.length, error);
    return dropped.length === 0 ? NOTHING_DROPPED : sumOf(batch, dropped);
  }

  async takeTraces({ records }: TraceBatch): Promise<number> {
    const { buffer, offsets, count, kinds } = records;
    const { dropped, error } = await this.#session.export(buffer, offsets, count, kinds, NO_FLOWS);
    this.#tell(dropped.length, error);
    return dropped.length;
  }

  async close(): Promise<void> {
    this.#session.close();
  }

  #tell(records: number, error: IoamctlError | undefined): void {
    this.#tellRefusals();
    if (records === 0) return;
    const fields = { records, err: error };
    this.#log.warn(error?.code ?? "", fields, "the collector did not take these records");
  }

  #tellRefusals(): void {
    const { refusals } = this.#session.counters;
    if (refusals === this.#refusals) return;
    this.#refusals = refusals;
    this.#log.warn("refused", { refusals }, "nobody listens there: what was sent before is lost");
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
