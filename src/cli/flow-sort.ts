// Orders flows by one of their fields.
import type { Flow } from "../meter/index.ts";
import { destinationOf, sourceOf } from "./flow-table.ts";

type Value = bigint | number | string | undefined;

/** By the title of the column in lower case. Counts and AGE begin with the largest. */
const FIELDS: Readonly<Record<string, { value: (flow: Flow) => Value; largestFirst?: true }>> = {
  iface: { value: (flow) => flow.interfaceName },
  dir: { value: (flow) => flow.flowDirection },
  ns: { value: (flow) => flow.ioamNamespaceId },
  "flow-id": { value: (flow) => flow.ioamFlowId },
  src: { value: sourceOf },
  dst: { value: destinationOf },
  proto: { value: (flow) => flow.protocolIdentifier },
  packets: { value: (flow) => flow.packetDeltaCount, largestFirst: true },
  octets: { value: (flow) => flow.octetDeltaCount, largestFirst: true },
  lost: { value: (flow) => flow.ioamLostPacketCount, largestFirst: true },
  reord: { value: (flow) => flow.ioamReorderedPacketCount, largestFirst: true },
  // The longer ago the last packet, the older.
  age: { value: (flow) => flow.flowEndMilliseconds },
};

/** Fields that flows can be sorted by. */
export const SORT_FIELDS: readonly string[] = Object.keys(FIELDS);

/** Sorts `flows` in place by one of SORT_FIELDS; those without a value come last. */
export function sortFlows(flows: Flow[], field: string): Flow[] {
  const { value, largestFirst } = FIELDS[field]!;
  return flows.sort((a, b) => {
    const left = value(a);
    const right = value(b);
    if (left === right) return 0;
    if (left === undefined) return 1;
    if (right === undefined) return -1;
    return left < right === (largestFirst === true) ? 1 : -1;
  });
}
