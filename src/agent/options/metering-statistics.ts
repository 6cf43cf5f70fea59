// Metering Process statistics (RFC 7011 section 4.1): what a collector should have got.
import type { DomainCounters, OptionsRecords } from "../../ipfix/index.ts";
import { type OptionsContext, optionsTemplate } from "./options-context.ts";
import { OPTIONS_TEMPLATE_IDS } from "./template-ids.ts";

/** What the statistics are of. */
export interface MeteringStatisticsOptions extends OptionsContext {
  /** The observation domains of the data. */
  readonly ofDomains: readonly number[];
  /** When the agent began, Unix milliseconds. */
  readonly began: number;
  /** Sent to one collector since the agent began, in an observation domain. */
  readonly exported: (observationDomainId: number) => Readonly<DomainCounters>;
}

/** One record an observation domain of the data. */
export function meteringStatistics(options: MeteringStatisticsOptions): OptionsRecords {
  const { registry, observationDomainId, period, ofDomains, began, exported } = options;
  return {
    template: optionsTemplate(
      registry,
      OPTIONS_TEMPLATE_IDS.meteringStatistics,
      ["observationDomainId"],
      [
        "systemInitTimeMilliseconds",
        "exportedMessageTotalCount",
        "exportedFlowRecordTotalCount",
        "exportedOctetTotalCount",
      ],
    ),
    observationDomainId,
    period,
    *records() {
      for (const ofDomain of ofDomains) {
        const { messages, records, octets } = exported(ofDomain);
        yield {
          observationDomainId: ofDomain,
          systemInitTimeMilliseconds: began,
          exportedMessageTotalCount: messages,
          exportedFlowRecordTotalCount: records,
          exportedOctetTotalCount: octets,
        };
      }
    },
  };
}
