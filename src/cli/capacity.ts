// Says that a flow table is filling or full, and what to do.

import { runningAgent } from "../agent/metering/agent-lock.ts";
import { counted } from "../counted.ts";
import { FILLING_SHARE, type Meter } from "../meter/index.ts";
import { netnsArgument } from "./options.ts";

/**
 * One line on a table that is 75 % full or more; undefined while there is room. A flow takes a record
 * for each CPU that sees it, and a flushed one keeps its record until the next rotation. What helps depends on
 * whether an agent empties the table.
 */
export function capacityHint(
  meter: Pick<Meter, "netns" | "netnsInode" | "used" | "maxFlows">,
): string | undefined {
  const used = meter.used();
  const { maxFlows, netns } = meter;
  if (used < FILLING_SHARE * maxFlows) return undefined;
  const table = netns === null ? "the flow table" : `the flow table of netns ${netns}`;
  const state =
    used < maxFlows
      ? `is filling: ${used} of ${maxFlows} records are used`
      : `is full (${counted(maxFlows, "record")}): new flows are not metered, tableFull counts their packets`;
  const remedy =
    runningAgent(meter.netnsInode) === undefined
      ? `export it with \`ioamctl agent\`, empty it with \`ioamctl flush --all${netnsArgument(netns)}\`, ` +
        "or attach anew with a larger --max-flows"
      : "the agent empties it early: should this last, give it a larger meter.maxFlows or a shorter " +
        "meter.activeTimeout";
  return `${table} ${state}: ${remedy}`;
}
