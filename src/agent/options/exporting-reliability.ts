// Exporting Process reliability statistics (RFC 7011 section 4.3): flows that were not sent.
import type { OptionsRecords } from "../../ipfix/index.ts";
import type { Loss } from "./loss-counts.ts";
import { type OptionsContext, optionsTemplate } from "./options-context.ts";
import { OPTIONS_TEMPLATE_IDS } from "./template-ids.ts";

/** What the statistics are of. */
export interface ExportingReliabilityOptions extends OptionsContext {
  /** Unique on this host, such as the agent's process id. */
  readonly exportingProcessId: number;
  /** When the agent began, Unix milliseconds. */
  readonly began: number;
  /** Of this collector, as it is now; times are Unix milliseconds, 0 for none. */
  readonly notSent: () => Loss & { readonly first: number; readonly last: number };
}

/** One record, about the agent's exporting process. */
export function exportingReliability(options: ExportingReliabilityOptions): OptionsRecords {
  const { registry, observationDomainId, period, exportingProcessId, began, notSent } = options;
  return {
    template: optionsTemplate(
      registry,
      OPTIONS_TEMPLATE_IDS.exportingReliability,
      ["exportingProcessId"],
      [
        "systemInitTimeMilliseconds",
        "notSentFlowTotalCount",
        "notSentPacketTotalCount",
        "notSentOctetTotalCount",
        // Of the first and of the last flow.
        "observationTimeMilliseconds",
        "observationTimeMilliseconds",
      ],
    ),
    observationDomainId,
    period,
    *records() {
      const { records, packets, octets, first, last } = notSent();
      yield {
        exportingProcessId,
        systemInitTimeMilliseconds: began,
        notSentFlowTotalCount: records,
        notSentPacketTotalCount: packets,
        notSentOctetTotalCount: octets,
        observationTimeMilliseconds: [first, last],
      };
    },
  };
}
