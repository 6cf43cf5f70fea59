// How an agent exports to its collectors and files: destination and templates, from the configuration.
import { isIP } from "node:net";
import type { Logger } from "pino";
import {
  compileEncoder,
  ElementRegistry,
  type Encoder,
  fileDestination,
  ioamElements,
  type Peer,
  udpDestination,
} from "../ipfix/index.ts";
import { layoutOf } from "../meter/index.ts";
import { Collector } from "./collector.ts";
import type { AgentConfig, CollectorConfig, FileConfig } from "./config/agent-config.ts";
import { flowTemplates } from "./flow-template.ts";
import { TRACE_LAYOUT } from "./trace/record-layout.ts";
import { traceTemplates } from "./trace/trace-template.ts";

/** A collector as it is configured. `onChange`: a session began or ended. */
export function collectorOf(
  collector: CollectorConfig,
  config: AgentConfig,
  log: Logger,
  onChange?: () => void,
): Collector {
  const { address, mtu, maxRate, templateRefresh } = collector;
  const options = {
    destination: udpDestination(address),
    observationDomainId: config.observationDomainId,
    encoders: encodersOf(config),
    templateRefresh: templateRefresh / 1000,
    ...(mtu !== undefined && { mtu }),
    ...(maxRate !== undefined && { maxRate }),
  };
  return new Collector(options, log, onChange);
}

/** Where packets to a collector go, when its name need not be looked up for that. */
export function configuredPeer({ address, transport }: CollectorConfig): Peer[] {
  const { host, port } = address;
  const protocol = transport === "tcp" || transport === "tls" ? "tcp" : "udp";
  return isIP(host) === 0 ? [] : [{ address: host, port, protocol }];
}

/** Files as they are configured. */
export function fileOf(file: FileConfig, config: AgentConfig, log: Logger): Collector {
  const { path, rotate, maxSize, keep } = file;
  const options = {
    destination: fileDestination({
      path,
      rotate,
      ...(maxSize !== undefined && { maxOctets: maxSize }),
      ...(keep !== undefined && { keep }),
    }),
    observationDomainId: config.observationDomainId,
    encoders: encodersOf(config),
  };
  return new Collector(options, log);
}

/** The templates of flows, and behind them those of traces if there are any. */
function encodersOf({ enterpriseNumbers, templates, trace }: AgentConfig): Encoder[] {
  const registry = new ElementRegistry(ioamElements(enterpriseNumbers));
  const flows = flowTemplates(registry, templates.flow);
  const encoders = flows.map((template) => compileEncoder(template, layoutOf("flow_record")));
  if (trace.source === "off") return encoders;
  const traces = traceTemplates(registry, templates);
  return [...encoders, ...traces.map((template) => compileEncoder(template, TRACE_LAYOUT))];
}
