// The interfaces of network namespaces, with their numbers and descriptions.
import { readFileSync } from "node:fs";
import { interfaceIndex, isOwnNetns, openNetns, withNetns } from "../../native/bpf-loader/index.ts";
import type { NamedInterface } from "./interface-names.ts";

/**
 * All interfaces of these network namespaces (undefined: the agent's own) as they are now; none of one
 * that is gone. Descriptions are those of the agent's own: others show theirs to netlink alone.
 */
export function netnsInterfaces(names: Iterable<string | undefined>): NamedInterface[] {
  return [...new Set(names)].flatMap((name) => {
    try {
      const netns = openNetns(name);
      try {
        const found = withNetns(netns, interfacesHere);
        return isOwnNetns(netns) ? found.map(described) : found;
      } finally {
        netns.close();
      }
    } catch {
      return [];
    }
  });
}

/** Of the network namespace that this thread is in. */
function interfacesHere(): NamedInterface[] {
  return namesIn(readFileSync("/proc/thread-self/net/dev", "utf8"))
    .map((name) => ({ name, index: interfaceIndex(name) }))
    .filter(({ index }) => index > 0);
}

/** The names in a table with two lines of heading, then "  eth0: 1 2 …". */
function namesIn(table: string): string[] {
  return table.split("\n").flatMap((line) => {
    const match = /^\s*(\S+):\s/.exec(line);
    return match === null ? [] : [match[1]!];
  });
}

/** With its description, if /sys shows this very interface and it has one. */
function described(one: NamedInterface): NamedInterface {
  const folder = `/sys/class/net/${one.name}`;
  try {
    if (Number(readFileSync(`${folder}/ifindex`, "utf8")) !== one.index) return one;
    const description = readFileSync(`${folder}/ifalias`, "utf8").trimEnd();
    return description === "" ? one : { ...one, description };
  } catch {
    return one;
  }
}
