// What a running agent cannot change without being started anew.
import { IoamctlError } from "../errors.ts";
import type { AgentConfig } from "./config/agent-config.ts";
import { meteredNames } from "./metering/wanted-netns.ts";
import { tracedNames } from "./trace/trace-sources.ts";

/**
 * Throws RELOAD_REFUSED when a key differs that is built into the tables or into what collectors
 * know: the message names all such keys.
 */
export function refuseFixedChanges(before: AgentConfig, after: AgentConfig): void {
  const used = [...meteredNames(after), ...tracedNames(after)];
  const fixed: [string, (config: AgentConfig) => unknown][] = [
    ["observationDomainId", (config) => config.observationDomainId],
    ["observationDomains", (config) => entriesOf(config.observationDomains, used)],
    ["enterpriseNumbers", (config) => config.enterpriseNumbers],
    ["templates", (config) => config.templates],
    ["options", (config) => config.options],
    ["meter.maxFlows", (config) => config.meter.maxFlows],
    ["trace", ({ trace }) => ({ ...trace, byNamespace: [...trace.timestamps.byNamespace] })],
    ["meter.namespaces", (config) => config.meter.namespaces],
  ];
  const changed = fixed
    .filter(([, value]) => JSON.stringify(value(before)) !== JSON.stringify(value(after)))
    .map(([name]) => name);
  if (changed.length === 0) return;
  throw new IoamctlError(
    "RELOAD_REFUSED",
    `${changed.join(", ")} cannot change while the agent runs: restart it, or put back what was there`,
  );
}

/**
 * `after` with the observation domains of network namespaces that it names no more: their last flows
 * are still to be exported, and they may be named again.
 */
export function keepDomains(before: AgentConfig, after: AgentConfig): AgentConfig {
  const observationDomains = { ...before.observationDomains, ...after.observationDomains };
  return { ...after, observationDomains };
}

/** Those of these network namespaces, in an order of their own: of others they change nothing. */
function entriesOf(domains: object, names: readonly (string | undefined)[]): [string, number][] {
  return Object.entries(domains)
    .filter(([name]) => names.includes(name))
    .sort();
}
