// Which flows a command is about.

import ipaddr from "ipaddr.js";
import { IoamctlError } from "../errors.ts";
import type { Flow } from "./flow.ts";

/** Every member that is given has to match. */
export interface FlowFilter {
  interfaceName?: string;
  namespace?: number;
  flowId?: number;
  /** An address or a prefix. */
  source?: string;
  destination?: string;
  protocol?: number;
  sourcePort?: number;
  destinationPort?: number;
}

type Prefix = [ipaddr.IPv4 | ipaddr.IPv6, number];

function parsePrefix(text: string): Prefix {
  try {
    if (text.includes("/")) return ipaddr.parseCIDR(text);
    const address = ipaddr.parse(text);
    return [address, address.kind() === "ipv6" ? 128 : 32];
  } catch (cause) {
    throw new IoamctlError(
      "BAD_PREFIX",
      `${text} is not an address or a prefix: give one such as 2001:db8::/32`,
      {
        cause,
      },
    );
  }
}

function inPrefix(address: string | undefined, prefix: Prefix | undefined): boolean {
  if (prefix === undefined) return true;
  if (address === undefined) return false;
  const parsed = ipaddr.parse(address);
  return parsed.kind() === prefix[0].kind() && parsed.match(prefix);
}

/** A test of flows. Throws BAD_PREFIX for an address that is none. */
export function flowMatcher(filter: FlowFilter): (flow: Flow) => boolean {
  const source = filter.source === undefined ? undefined : parsePrefix(filter.source);
  const destination =
    filter.destination === undefined ? undefined : parsePrefix(filter.destination);
  const equal = <T>(wanted: T | undefined, found: T | undefined): boolean =>
    wanted === undefined || wanted === found;
  return (flow) =>
    equal(filter.interfaceName, flow.interfaceName) &&
    equal(filter.namespace, flow.ioamNamespaceId) &&
    equal(filter.flowId, flow.ioamFlowId) &&
    equal(filter.protocol, flow.protocolIdentifier) &&
    equal(filter.sourcePort, flow.sourceTransportPort) &&
    equal(filter.destinationPort, flow.destinationTransportPort) &&
    inPrefix(flow.sourceIPv6Address ?? flow.sourceIPv4Address, source) &&
    inPrefix(flow.destinationIPv6Address ?? flow.destinationIPv4Address, destination);
}
