// What a configuration may say of options records.
import type { z } from "zod";
import type { OptionsConfig } from "./agent-config.ts";
import { mapping, period, wholeNumber } from "./schema-parts.ts";

/** `options`: how often each kind is sent, and in which observation domain. */
export const optionsSchema: z.ZodType<OptionsConfig> = mapping({
  meteringStatistics: every(60_000),
  meteringReliability: every(60_000),
  exportingReliability: every(60_000),
  flowKeys: every(undefined),
  extendedTypeInformation: every(600_000),
  interfaceNames: every(600_000),
  observationDomainId: wholeNumber(0, 0xffff_ffff).default(0),
});

function every(usual: number | undefined): z.ZodType<number | undefined> {
  return period(1000, "1s to 1d").prefault(usual === undefined ? "off" : `${usual}ms`);
}
