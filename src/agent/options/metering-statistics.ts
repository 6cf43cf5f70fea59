// Metering Process statistics (RFC 7011 section 4.1): what a collector should have got.
import type { OptionsRecords } from "../../ipfix/index.ts";
import { type OptionsContext, optionsTemplate } from "./options-context.ts";
import { OPTIONS_TEMPLATE_IDS } from "./template-ids.ts";

/** Sent to one collector since the agent began; SessionCounters will do. */
export interface ExportedCounts {
  readonly messages: number;
  /** Data records, without those of options. */
  readonly records: number;
  /** Octets of the messages. */
  readonly octets: number;
}

/** What the statistics are of. */
export interface MeteringStatisticsOptions extends OptionsContext {
  /** The observation domain of the data. */
  readonly ofDomain: number;
  /** When the agent began, Unix milliseconds. */
  readonly began: number;
  readonly exported: () => ExportedCounts;
}

/** One record, about the observation domain of the data. */
export function meteringStatistics(options: MeteringStatisticsOptions): OptionsRecords {
  const { registry, observationDomainId, period, ofDomain, began, exported } = options;
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
      const { messages, records, octets } = exported();
      yield {
        observationDomainId: ofDomain,
        systemInitTimeMilliseconds: began,
        exportedMessageTotalCount: messages,
        exportedFlowRecordTotalCount: records,
        exportedOctetTotalCount: octets,
      };
    },
  };
}
