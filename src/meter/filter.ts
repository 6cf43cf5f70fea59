// Which flows a command is about.
import { type AddressPrefix, isInPrefix, parsePrefix } from "../address-prefix.ts";
import { parseAddress } from "../address-text.ts";
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

function prefixOf(text: string | undefined): AddressPrefix | undefined {
  if (text === undefined) return undefined;
  const prefix = parsePrefix(text);
  if (prefix !== undefined) return prefix;
  throw new IoamctlError(
    "BAD_PREFIX",
    `${text} is not an address or a prefix: give one such as 2001:db8::/32`,
  );
}

function inPrefix(address: string | undefined, prefix: AddressPrefix | undefined): boolean {
  if (prefix === undefined) return true;
  return address !== undefined && isInPrefix(parseAddress(address)!, prefix);
}

/** A test of flows. Throws BAD_PREFIX for an address that is none. */
export function flowMatcher(filter: FlowFilter): (flow: Flow) => boolean {
  const source = prefixOf(filter.source);
  const destination = prefixOf(filter.destination);
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
