// Names and descriptions of the interfaces that flow records name by their numbers.
import type { DataRecord, OptionsRecords } from "../../ipfix/index.ts";
import { type OptionsContext, optionsTemplate } from "./options-context.ts";
import { OPTIONS_TEMPLATE_IDS } from "./template-ids.ts";

/** An interface of any network namespace. */
export interface NamedInterface {
  readonly index: number;
  readonly name: string;
  /** What an operator wrote down with `ip link set … alias`. */
  readonly description?: string | undefined;
}

/** Where the names come from. */
export interface InterfaceNamesOptions extends OptionsContext {
  /** The observation domains of the data: numbers of interfaces are unique within one. */
  readonly ofDomains: readonly number[];
  /** Of an observation domain; asked anew each time. */
  readonly interfaces: (observationDomainId: number) => Iterable<NamedInterface>;
}

/** IFNAMSIZ of Linux. Fixed: pmacct miscounts options records of variable length. */
const NAME_OCTETS = 16;
const DESCRIPTION_OCTETS = 64;

/**
 * Two options: names by number, and descriptions of the interfaces that have one. nfcapd (1.7.1) takes a
 * record with a description for one whose scope and description have only the number between them, so
 * the number stands there and the name is the scope. Of several observation domains the scope says which.
 */
export function interfaceNames(options: InterfaceNamesOptions): OptionsRecords[] {
  const { registry, observationDomainId, period, ofDomains, interfaces } = options;
  const name = ["interfaceName", NAME_OCTETS] as const;
  const description = ["interfaceDescription", DESCRIPTION_OCTETS] as const;
  const { interfaceNames: ofNames, interfaceDescriptions } = OPTIONS_TEMPLATE_IDS;
  const isSeveral = ofDomains.length > 1;
  const domain = isSeveral ? ["observationDomainId"] : [];
  const shared = { observationDomainId, period };
  /** Each with what its record begins with. */
  function* all(): Generator<[DataRecord, NamedInterface]> {
    for (const ofDomain of ofDomains) {
      const scope = isSeveral ? { observationDomainId: ofDomain } : {};
      for (const one of unambiguous(interfaces(ofDomain))) yield [scope, one];
    }
  }
  return [
    {
      ...shared,
      template: optionsTemplate(registry, ofNames, [...domain, "ingressInterface"], [name]),
      *records(): Iterable<DataRecord> {
        for (const [scope, { index, name: interfaceName }] of all()) {
          yield { ...scope, ingressInterface: index, interfaceName };
        }
      },
    },
    {
      ...shared,
      template: optionsTemplate(
        registry,
        interfaceDescriptions,
        [...domain, name],
        ["ingressInterface", description],
      ),
      *records(): Iterable<DataRecord> {
        for (const [scope, one] of all()) {
          if (one.description === undefined || one.description === "") continue;
          yield {
            ...scope,
            interfaceName: one.name,
            ingressInterface: one.index,
            interfaceDescription: shortened(one.description),
          };
        }
      },
    },
  ];
}

/** Without numbers that mean different interfaces in different network namespaces. */
function unambiguous(interfaces: Iterable<NamedInterface>): NamedInterface[] {
  const byIndex = new Map<number, NamedInterface | undefined>();
  for (const one of interfaces) {
    const other = byIndex.has(one.index) ? byIndex.get(one.index) : one;
    byIndex.set(one.index, other?.name === one.name ? one : undefined);
  }
  return [...byIndex.values()].filter((one) => one !== undefined);
}

/** As many whole characters as there is room for. */
function shortened(text: string): string {
  let kept = "";
  for (const character of text) {
    if (Buffer.byteLength(kept + character) > DESCRIPTION_OCTETS) break;
    kept += character;
  }
  return kept;
}
