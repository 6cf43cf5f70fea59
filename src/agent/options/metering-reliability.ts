// Metering Process reliability statistics (RFC 7011 section 4.2): packets that no flow record counts.
import type { OptionsRecords } from "../../ipfix/index.ts";
import type { Loss } from "./loss-counts.ts";
import { type OptionsContext, optionsTemplate } from "./options-context.ts";
import { OPTIONS_TEMPLATE_IDS } from "./template-ids.ts";

/** What the statistics are of. */
export interface MeteringReliabilityOptions extends OptionsContext {
  /** The observation domains of the data. */
  readonly ofDomains: readonly number[];
  /** When the agent began, Unix milliseconds. */
  readonly began: number;
  /** Whether the octets of all ignored packets are known: not those of the kernel's IOAM events. */
  readonly hasOctets: boolean;
  /** Of an observation domain, as it is now; times are Unix milliseconds, 0 for none. */
  readonly ignored: (
    observationDomainId: number,
  ) => Loss & { readonly first: number; readonly last: number };
}

/** One record an observation domain of the data. */
export function meteringReliability(options: MeteringReliabilityOptions): OptionsRecords {
  const { registry, observationDomainId, period, ofDomains, began, hasOctets, ignored } = options;
  const octetCount = "ignoredOctetTotalCount";
  return {
    template: optionsTemplate(
      registry,
      OPTIONS_TEMPLATE_IDS.meteringReliability,
      ["observationDomainId"],
      [
        "systemInitTimeMilliseconds",
        "ignoredPacketTotalCount",
        ...(hasOctets ? [octetCount] : []),
        // Of the first and of the last packet.
        "observationTimeMilliseconds",
        "observationTimeMilliseconds",
      ],
    ),
    observationDomainId,
    period,
    *records() {
      for (const ofDomain of ofDomains) {
        const { packets, octets, first, last } = ignored(ofDomain);
        yield {
          observationDomainId: ofDomain,
          systemInitTimeMilliseconds: began,
          ignoredPacketTotalCount: packets,
          ...(hasOctets && { [octetCount]: octets }),
          observationTimeMilliseconds: [first, last],
        };
      }
    },
  };
}
