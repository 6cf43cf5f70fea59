// Flow keys (RFC 7011 section 4.4): which fields of a template tell one flow from another.
import type { FieldSource, OptionsRecords, Template } from "../../ipfix/index.ts";
import { type OptionsContext, optionsTemplate } from "./options-context.ts";
import { OPTIONS_TEMPLATE_IDS } from "./template-ids.ts";

/** Of these templates of flows; the observation domain has to be theirs. */
export interface FlowKeysOptions extends OptionsContext {
  readonly templates: readonly Template[];
}

/** Bits of flowKeyIndicator. */
const INDICATOR_BITS = 64;

/** One record a template. */
export function flowKeys(options: FlowKeysOptions): OptionsRecords {
  const { registry, observationDomainId, period, templates } = options;
  const all = templates.map((template) => ({
    templateId: template.id,
    flowKeyIndicator: flowKeyIndicator(template),
  }));
  return {
    template: optionsTemplate(
      registry,
      OPTIONS_TEMPLATE_IDS.flowKeys,
      ["templateId"],
      ["flowKeyIndicator"],
    ),
    observationDomainId,
    period,
    records: () => all,
  };
}

/** Bit n, counted from the least significant, is set where field n comes from the flow's key. */
export function flowKeyIndicator({ fields }: Template): bigint {
  return fields
    .slice(0, INDICATOR_BITS)
    .reduce(
      (bits, { source }, n) =>
        source !== undefined && isOfKey(source) ? bits | (1n << BigInt(n)) : bits,
      0n,
    );
}

/** struct flow_key is a member of struct flow_record: bpf/records.h. */
function isOfKey(source: FieldSource): boolean {
  if (source.kind === "select") {
    // ingressInterface and egressInterface: in one direction or the other it is of the key.
    return isOfKey(source.whenSet) || isOfKey(source.whenClear);
  }
  return "field" in source && source.field.startsWith("key.");
}
