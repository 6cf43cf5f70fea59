// What a configuration asks to be metered, by network namespace.
import { IoamctlError } from "../../errors.ts";
import type { MeterOptions } from "../../meter/index.ts";
import type { AgentConfig } from "../config/agent-config.ts";
import { expandDirections, type ObservationPoint } from "./attach-all.ts";
import { netnsInode } from "./meter-lock.ts";

/** What the configuration says about one network namespace. */
export interface WantedNetns {
  readonly options: MeterOptions;
  readonly points: ObservationPoint[];
}

/** By the kernel's number of the network namespace. */
export type WantedMap = ReadonlyMap<number, WantedNetns>;

/**
 * What the configuration asks for. Throws NETNS_NOT_FOUND when a network namespace is not there,
 * unless it is one of `mayBeGone`: such a one is left out.
 */
export function wantedBy(
  config: AgentConfig,
  mayBeGone: ReadonlySet<string | undefined> = new Set(),
): WantedMap {
  const { maxFlows, namespaces } = config.meter;
  const wanted = new Map<number, WantedNetns>();
  for (const { name, netns, direction } of config.interfaces) {
    const inode = mayBeGone.has(netns) ? inodeIfThere(netns) : netnsInode(netns);
    if (inode === undefined) continue;
    const one = wanted.get(inode) ?? { options: { netns, maxFlows, namespaces }, points: [] };
    one.points.push(...expandDirections(name, direction));
    wanted.set(inode, one);
  }
  return wanted;
}

/** The network namespaces of a configuration's interfaces, by the names that it has for them. */
export function meteredNames({ interfaces }: AgentConfig): Set<string | undefined> {
  return new Set(interfaces.map(({ netns }) => netns));
}

function inodeIfThere(netns: string | undefined): number | undefined {
  try {
    return netnsInode(netns);
  } catch (error) {
    if (error instanceof IoamctlError && error.code === "NETNS_NOT_FOUND") return undefined;
    throw error;
  }
}
