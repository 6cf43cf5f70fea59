// How an agent exports to one of its collectors: destination and templates, from the configuration.
import {
  compileEncoder,
  ElementRegistry,
  type ExportingProcessOptions,
  ioamElements,
  udpDestination,
} from "../ipfix/index.ts";
import { layoutOf } from "../meter/index.ts";
import type { AgentConfig, CollectorConfig } from "./config/agent-config.ts";
import { flowTemplates } from "./flow-template.ts";
import { TRACE_LAYOUT } from "./trace/record-layout.ts";
import { traceTemplates } from "./trace/trace-template.ts";

/** The options of the exporting process for one collector. */
export function exportingOptions(
  { address, mtu, maxRate, templateRefresh }: CollectorConfig,
  { observationDomainId, enterpriseNumbers, trace }: AgentConfig,
): ExportingProcessOptions {
  const registry = new ElementRegistry(ioamElements(enterpriseNumbers));
  const layout = layoutOf("flow_record");
  const encoders = flowTemplates(registry).map((template) => compileEncoder(template, layout));
  if (trace.source !== "off") {
    for (const template of traceTemplates(registry)) {
      encoders.push(compileEncoder(template, TRACE_LAYOUT));
    }
  }
  return {
    destination: udpDestination(address),
    observationDomainId,
    encoders,
    templateRefresh: templateRefresh / 1000,
    ...(mtu !== undefined && { mtu }),
    ...(maxRate !== undefined && { maxRate }),
  };
}
