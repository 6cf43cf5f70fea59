// Says why a filter that matched nothing cannot match anything, and what to do.
import { isIPv4 } from "node:net";
import { type FlowFilter, type Meter, noSuchInterface } from "../meter/index.ts";
import { netnsArgument } from "./options.ts";
import { protocolName } from "./protocol.ts";

/** Protocols whose ports are metered (parse_transport in bpf/parse.h). */
const WITH_PORTS: readonly number[] = [6, 17, 33, 132, 136];

/**
 * One line on a filter that matched no flow, when it could not have: an interface or an IOAM namespace
 * that is not metered, or conditions that no packet meets together. Undefined: it just did not happen
 * to match. Throws NO_SUCH_INTERFACE for an interface that there neither is nor was.
 */
export function filterHint(
  meter: Pick<Meter, "netns" | "namespaces" | "attachments" | "hasInterface" | "dump">,
  filter: FlowFilter,
): string | undefined {
  return (
    interfaceHint(meter, filter) ??
    namespaceHint(meter, filter) ??
    portHint(filter) ??
    familyHint(filter)
  );
}

function interfaceHint(
  meter: Parameters<typeof filterHint>[0],
  { interfaceName: name }: FlowFilter,
): string | undefined {
  if (name === undefined) return undefined;
  if (meter.attachments().some(({ interfaceName }) => interfaceName === name)) return undefined;
  // The flows of an interface that was detached stay, and of one that is gone.
  if (meter.dump({ interfaceName: name }).length > 0) return undefined;
  if (!meter.hasInterface(name)) throw noSuchInterface(name, meter.netns);
  const argument = netnsArgument(meter.netns);
  return `${name} is not metered: \`ioamctl attach -n ${name}${argument}\` begins to, \`ioamctl status\` lists what is`;
}

function namespaceHint(
  { netns, namespaces }: Pick<Meter, "netns" | "namespaces">,
  { namespace }: FlowFilter,
): string | undefined {
  if (namespace === undefined || namespaces.length === 0 || namespaces.includes(namespace)) {
    return undefined;
  }
  return (
    `IOAM namespace ${namespace} is not metered, only ${namespaces.join(", ")}: to change that, ` +
    `\`ioamctl detach --all${netnsArgument(netns)}\` and attach with other --namespace`
  );
}

function portHint({ protocol, sourcePort, destinationPort }: FlowFilter): string | undefined {
  if (sourcePort === undefined && destinationPort === undefined) return undefined;
  if (protocol === undefined || WITH_PORTS.includes(protocol)) return undefined;
  const names = WITH_PORTS.map(protocolName).join(", ");
  return `${protocolName(protocol)} has no ports: leave --sport and --dport out, or give --proto one of ${names}`;
}

function familyHint({ source, destination }: FlowFilter): string | undefined {
  if (source === undefined || destination === undefined) return undefined;
  const isIPv4Prefix = (prefix: string): boolean => isIPv4(prefix.replace(/\/.*/, ""));
  if (isIPv4Prefix(source) === isIPv4Prefix(destination)) return undefined;
  return "no packet has addresses of both IPv4 and IPv6: give --src and --dst of one kind";
}
