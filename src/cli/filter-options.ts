// The options by which dump and flush choose flows.
import { type Command, InvalidArgumentError, Option } from "commander";
import { parsePrefix, prefixText } from "../address-prefix.ts";
import type { FlowFilter } from "../meter/index.ts";
import { wholeNumber } from "./options.ts";
import { PROTOCOL_NAMES, protocolNumber } from "./protocol.ts";

/** Values of the filter options. */
export interface FilterOptions {
  interface?: string;
  namespace?: number;
  flowId?: number;
  src?: string;
  dst?: string;
  proto?: number;
  sport?: number;
  dport?: number;
}

/** Adds the filter options to a command. A flow must match all of those that are given. */
export function addFilterOptions(command: Command): Command {
  const option = <T>(flags: string, description: string, parse?: (text: string) => T): void => {
    const added = new Option(flags, description);
    if (parse !== undefined) added.argParser(parse);
    command.addOption(added);
  };
  option("-n, --interface <name>", "flows of this interface");
  option("--namespace <id>", "flows of this IOAM namespace", wholeNumber(0, 0xffff));
  option("--flow-id <id>", "flows with this DEX flow id", wholeNumber(0, 0xffff_ffff));
  option("--src <prefix>", "source address, IPv6 or (tunnelled) IPv4", prefix);
  option("--dst <prefix>", "destination address", prefix);
  option("--proto <protocol>", "transport protocol, by number or name", protocol);
  option("--sport <port>", "source port", wholeNumber(0, 0xffff));
  option("--dport <port>", "destination port", wholeNumber(0, 0xffff));
  return command;
}

/** What the options say, in the meter's words. */
export function filterFrom(options: FilterOptions): FlowFilter {
  const filter: FlowFilter = {};
  if (options.interface !== undefined) filter.interfaceName = options.interface;
  if (options.namespace !== undefined) filter.namespace = options.namespace;
  if (options.flowId !== undefined) filter.flowId = options.flowId;
  if (options.src !== undefined) filter.source = options.src;
  if (options.dst !== undefined) filter.destination = options.dst;
  if (options.proto !== undefined) filter.protocol = options.proto;
  if (options.sport !== undefined) filter.sourcePort = options.sport;
  if (options.dport !== undefined) filter.destinationPort = options.dport;
  return filter;
}

function prefix(text: string): string {
  const parsed = parsePrefix(text);
  if (parsed === undefined) {
    throw new InvalidArgumentError("Give a prefix such as 2001:db8::/32 or 10.0.0.0/8.");
  }
  return prefixText(parsed);
}

function protocol(text: string): number {
  const number = protocolNumber(text);
  if (number === undefined) {
    throw new InvalidArgumentError(`Give 0 to 255 or one of ${PROTOCOL_NAMES.join(", ")}.`);
  }
  return number;
}
