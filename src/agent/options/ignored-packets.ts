// Packets that should have been metered and were not, over all meters and sources of kernel events.
import { LossCounts } from "./loss-counts.ts";

/** A place where packets are ignored, as its own counters have it. */
export interface IgnoringSource {
  /** Tells it from others, also from such as were there before: "meter 2". */
  readonly key: string;
  /** Where it is; null: the agent's own network namespace. */
  readonly netns: string | null;
  /** Ever since it was made, hence also before this agent. */
  readonly packets: number;
  /** 0 where octets are not counted. */
  readonly octets: number;
  /** It was made by this agent: all that it has counted is. */
  readonly isNew?: boolean;
}

/** What a meter's counters (docs/counters.md) say: DEX that is malformed, or found no record left. */
export function ignoredByMeter(
  key: string,
  netns: string | null,
  counters: Readonly<Record<string, bigint>>,
): IgnoringSource {
  const sum = (...names: string[]): number =>
    names.reduce((total, name) => total + Number(counters[name] ?? 0n), 0);
  return {
    key,
    netns,
    packets: sum("dexMalformed", "tableFull"),
    octets: sum("dexMalformedOctets", "tableFullOctets"),
  };
}

/** What the counters of the kernel's IOAM events say: events, each of a packet, that nobody read. */
export function ignoredByKernelEvents(
  key: string,
  netns: string | null,
  counters: { readonly netlinkDrops: number; readonly netlinkMalformed: number },
): IgnoringSource {
  const packets = counters.netlinkDrops + counters.netlinkMalformed;
  return { key, netns, packets, octets: 0 };
}

const NOTHING = { packets: 0, octets: 0 };

/** Adds up what sources have ignored since the agent first saw them. They may come and go. */
export class IgnoredPackets {
  readonly #domainOf: (netns: string | null) => number;
  readonly #counts: Map<number, LossCounts> = new Map();
  readonly #seen: Map<string, IgnoringSource> = new Map();

  /** `domainOf`: the observation domain of a network namespace. */
  constructor(domainOf: (netns: string | null) => number) {
    this.#domainOf = domainOf;
  }

  /** In an observation domain. */
  countsIn(observationDomainId: number): LossCounts {
    const known = this.#counts.get(observationDomainId);
    if (known !== undefined) return known;
    const counts = new LossCounts();
    this.#counts.set(observationDomainId, counts);
    return counts;
  }

  /**
   * Looks at the counters of all sources there are: the more often, the more exact are the times.
   * What a source that is not new had counted when it is first seen was before.
   */
  look(sources: Iterable<IgnoringSource>, now: number = Date.now()): void {
    for (const source of sources) {
      const before = this.#seen.get(source.key) ?? (source.isNew ? NOTHING : source);
      this.#seen.set(source.key, source);
      const packets = source.packets - before.packets;
      const octets = source.octets - before.octets;
      // Made anew under the same key: what it has counted, it has counted since.
      const loss = packets < 0 ? source : { packets, octets };
      const counts = this.countsIn(this.#domainOf(source.netns));
      counts.add({ records: 0, packets: loss.packets, octets: loss.octets }, now);
    }
  }

  /** The same of a source that counts no more, for the last time: then it is forgotten. */
  lookLast(source: IgnoringSource): void {
    this.look([source]);
    this.#seen.delete(source.key);
  }
}
