// Collectors and files as they are configured: destination, templates, options.
import { isIP } from "node:net";
import type { Logger } from "pino";
import {
  compileEncoder,
  type Destination,
  ElementRegistry,
  type ExportingProcessOptions,
  ioamElements,
  type Peer,
} from "../../ipfix/index.ts";
import { layoutOf } from "../../meter/index.ts";
import type { AgentConfig, CollectorConfig, FileConfig } from "../config/agent-config.ts";
import { observationDomainsOf } from "../observation-domains.ts";
import { agentOptions } from "../options/agent-options.ts";
import type { NamedInterface } from "../options/interface-names.ts";
import type { LossCounts } from "../options/loss-counts.ts";
import { flowTemplates } from "../templates/flow-template.ts";
import { TRACE_LAYOUT } from "../trace/record-layout.ts";
import { traceTemplates } from "../trace/trace-template.ts";
import { Collector } from "./collector.ts";
import { collectorDestination, collectorSettings, outputDestination } from "./destinations.ts";

/** What collectors and files need beside the configuration. */
export interface CollectorSurroundings {
  readonly log: Logger;
  /** A session began or ended. */
  readonly onCollectorChange?: () => void;
  /** Packets of an observation domain that should have been metered and were not, since the start. */
  readonly ignored: (observationDomainId: number) => LossCounts;
  /** What this collector, or none of several, did not take. */
  readonly notSent: LossCounts;
  /** Of the network namespaces that are metered, those of an observation domain. */
  readonly interfaces: (observationDomainId: number) => Iterable<NamedInterface>;
}

/** When this process began to export, Unix milliseconds. */
const BEGAN = Date.now();

/** A collector as it is configured. */
export function collectorOf(
  collector: CollectorConfig,
  config: AgentConfig,
  surroundings: CollectorSurroundings,
): Collector {
  return make(collectorDestination(collector), config, surroundings, collectorSettings(collector));
}

/** Files as they are configured. */
export function fileOf(
  file: FileConfig,
  config: AgentConfig,
  surroundings: CollectorSurroundings,
): Collector {
  return make(outputDestination(file), config, surroundings, {});
}

/** Where packets to a collector go, when its name need not be looked up for that. */
export function configuredPeer({ address, transport }: CollectorConfig): Peer[] {
  const { host, port } = address;
  const protocol = transport === "tcp" || transport === "tls" ? "tcp" : "udp";
  return isIP(host) === 0 ? [] : [{ address: host, port, protocol }];
}

function make(
  destination: Destination,
  config: AgentConfig,
  { log, onCollectorChange, notSent, ignored, interfaces }: CollectorSurroundings,
  more: Partial<ExportingProcessOptions>,
): Collector {
  const { enterpriseNumbers, templates, trace } = config;
  const [observationDomainId, ...moreObservationDomains] = observationDomainsOf(config);
  const registry = new ElementRegistry(ioamElements(enterpriseNumbers));
  const flows = flowTemplates(registry, templates.flow);
  const traces = trace.source === "off" ? [] : traceTemplates(registry, templates);
  const collector: Collector = new Collector(
    {
      destination,
      observationDomainId: observationDomainId!,
      moreObservationDomains,
      encoders: [
        ...flows.map((template) => compileEncoder(template, layoutOf("flow_record"))),
        ...traces.map((template) => compileEncoder(template, TRACE_LAYOUT)),
      ],
      options: agentOptions(config, {
        registry,
        flowTemplates: flows,
        began: BEGAN,
        exportingProcessId: process.pid,
        exported: (domain) => collector.sentIn(domain),
        notSent: () => notSent,
        ignored,
        interfaces,
      }),
      ...more,
    },
    log,
    onCollectorChange,
  );
  return collector;
}
