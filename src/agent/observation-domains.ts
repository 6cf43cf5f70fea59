// Which observation domain data belong to: numbers of interfaces and nodes are unique within one.
import type { AgentConfig } from "./config/agent-config.ts";

type Domains = Pick<AgentConfig, "observationDomainId" | "observationDomains">;

/** That of a network namespace, by the configuration's name for it; without one: the agent's own. */
export function observationDomainOf(
  { observationDomainId, observationDomains }: Domains,
  netns: string | null | undefined,
): number {
  const isNamed = typeof netns === "string" && Object.hasOwn(observationDomains, netns);
  return isNamed ? observationDomains[netns]! : observationDomainId;
}

/** All that there are, each once; first that of network namespaces without another. */
export function observationDomainsOf(config: Domains): number[] {
  const { observationDomainId, observationDomains } = config;
  return [...new Set([observationDomainId, ...Object.values(observationDomains)])];
}
