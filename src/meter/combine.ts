// One flow out of several of the same key: of two generations, or recorded apart for want of an index entry.

import type { Flow } from "./flow.ts";

const COUNTERS = [
  "packetDeltaCount",
  "octetDeltaCount",
  "ioamLostPacketCount",
  "ioamExpectedPacketCount",
  "ioamReorderedPacketCount",
  "ioamDuplicatePacketCount",
] as const;

/** What tells one flow from another. */
function flowKey(flow: Flow): string {
  return [
    flow.interfaceName,
    flow.flowDirection,
    flow.ioamNamespaceId,
    flow.ioamTraceType,
    flow.ioamExtensionFlags,
    flow.ioamFlowId,
    flow.sourceIPv6Address ?? flow.sourceIPv4Address,
    flow.destinationIPv6Address ?? flow.destinationIPv4Address,
    flow.tunnelSourceIPv6Address !== undefined,
    flow.protocolIdentifier,
    flow.sourceTransportPort,
    flow.destinationTransportPort,
    flow.vlanId,
    flow.dot1qCustomerVlanId,
  ].join(" ");
}

function serialMin(a: number, b: number): number {
  return ((b - a) | 0) < 0 ? b : a;
}

function add(to: Flow, flow: Flow): void {
  for (const counter of COUNTERS) {
    const value = flow[counter];
    if (value !== undefined) to[counter] = (to[counter] ?? 0n) + value;
  }
  to.flowStartMilliseconds = Math.min(to.flowStartMilliseconds, flow.flowStartMilliseconds);
  to.flowEndMilliseconds = Math.max(to.flowEndMilliseconds, flow.flowEndMilliseconds);
  to.minimumTTL = Math.min(to.minimumTTL, flow.minimumTTL);
  to.maximumTTL = Math.max(to.maximumTTL, flow.maximumTTL);
  if (to.ioamSequenceNumberLowest !== undefined && flow.ioamSequenceNumberLowest !== undefined) {
    to.ioamSequenceNumberLowest = serialMin(
      to.ioamSequenceNumberLowest,
      flow.ioamSequenceNumberLowest,
    );
  }
  if (to.ioamSequenceNumberHighest !== undefined && flow.ioamSequenceNumberHighest !== undefined) {
    const [a, b] = [to.ioamSequenceNumberHighest, flow.ioamSequenceNumberHighest];
    to.ioamSequenceNumberHighest = serialMin(a, b) === a ? b : a;
  }
}

/** Adds up flows of the same key; the order of first appearance is kept. */
export function combineFlows(flows: Iterable<Flow>): Flow[] {
  const combined = new Map<string, Flow>();
  for (const flow of flows) {
    const key = flowKey(flow);
    const known = combined.get(key);
    if (known === undefined) combined.set(key, flow);
    else add(known, flow);
  }
  return [...combined.values()];
}
