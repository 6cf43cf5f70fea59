// The options records of an agent for one collector, as the configuration asks for them.
import {
  type DomainCounters,
  type ElementRegistry,
  ioamElements,
  type OptionsRecords,
  type Template,
  typeInformation,
} from "../../ipfix/index.ts";
import type { AgentConfig } from "../config/agent-config.ts";
import { observationDomainsOf } from "../observation-domains.ts";
import { exportingReliability } from "./exporting-reliability.ts";
import { flowKeys } from "./flow-keys.ts";
import { interfaceNames, type NamedInterface } from "./interface-names.ts";
import type { LossCounts } from "./loss-counts.ts";
import { meteringReliability } from "./metering-reliability.ts";
import { meteringStatistics } from "./metering-statistics.ts";
import type { OptionsContext } from "./options-context.ts";
import { OPTIONS_TEMPLATE_IDS } from "./template-ids.ts";

/** What options records tell, asked anew each time. */
export interface OptionsSources {
  readonly registry: ElementRegistry;
  /** Of flows, in their order. */
  readonly flowTemplates: readonly Template[];
  /** When the agent began, Unix milliseconds. */
  readonly began: number;
  /** Unique on this host, such as the agent's process id. */
  readonly exportingProcessId: number;
  /** Sent to this collector in an observation domain. */
  readonly exported: (observationDomainId: number) => Readonly<DomainCounters>;
  /** Not sent to this collector. */
  readonly notSent: () => LossCounts;
  /** Over all meters and sources of kernel events of an observation domain. */
  readonly ignored: (observationDomainId: number) => LossCounts;
  /** Of the network namespaces that are metered, those of an observation domain. */
  readonly interfaces: (observationDomainId: number) => Iterable<NamedInterface>;
}

/** In the order in which they are sent. */
export function agentOptions(config: AgentConfig, sources: OptionsSources): OptionsRecords[] {
  const { options, enterpriseNumbers, trace } = config;
  const ofDomains = observationDomainsOf(config);
  const { registry, began, exportingProcessId } = sources;
  /** What `make` makes, unless the kind is off. */
  const every = (
    milliseconds: number | undefined,
    make: (context: OptionsContext) => OptionsRecords | OptionsRecords[],
    domains: readonly number[] = [options.observationDomainId],
  ): OptionsRecords[] => {
    if (milliseconds === undefined) return [];
    const shared = { registry, period: milliseconds / 1000 };
    return domains.flatMap((observationDomainId) => make({ ...shared, observationDomainId }));
  };
  return [
    ...every(options.extendedTypeInformation, (context) =>
      typeInformation({
        ...context,
        templateId: OPTIONS_TEMPLATE_IDS.extendedTypeInformation,
        elements: ioamElements(enterpriseNumbers),
      }),
    ),
    ...every(options.meteringStatistics, (context) =>
      meteringStatistics({ ...context, ofDomains, began, exported: sources.exported }),
    ),
    ...every(options.meteringReliability, (context) =>
      meteringReliability({
        ...context,
        ofDomains,
        began,
        hasOctets: trace.source === "off",
        ignored: sources.ignored,
      }),
    ),
    ...every(options.exportingReliability, (context) =>
      exportingReliability({ ...context, exportingProcessId, began, notSent: sources.notSent }),
    ),
    ...every(
      options.flowKeys,
      (context) => flowKeys({ ...context, templates: sources.flowTemplates }),
      ofDomains,
    ),
    ...every(config.interfaces.length === 0 ? undefined : options.interfaceNames, (context) =>
      interfaceNames({ ...context, ofDomains, interfaces: sources.interfaces }),
    ),
  ];
}
