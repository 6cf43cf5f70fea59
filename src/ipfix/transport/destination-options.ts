// What the options of destinations have in common: their checks, the name of a collector.
import { IoamctlError } from "../../errors.ts";
import type { Destination } from "./destination.ts";

/** Longest time of a timer, in milliseconds: 24 days. */
const LONGEST_TIME = 2 ** 31 - 1;

/** DESTINATION_INVALID: an option that cannot be used. */
export function unusable(message: string): IoamctlError {
  return new IoamctlError("DESTINATION_INVALID", message);
}

/** Throws DESTINATION_INVALID unless `value` is a whole number in the range. */
export function checkInteger(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw unusable(`${name} is ${value}: give a whole number from ${least} to ${most}`);
}

/** Throws DESTINATION_INVALID unless `value` is a time that a timer takes, in milliseconds. */
export function checkTime(name: string, value: number): void {
  checkInteger(name, value, 1, LONGEST_TIME);
}

/** Throws DESTINATION_INVALID unless both are times, the first not the longer. */
export function checkRetry({ first, most }: Destination["retry"]): void {
  checkTime("retry.first", first);
  checkTime("retry.most", most);
  if (first > most) throw unusable(`retry.first (${first}) is more than retry.most (${most})`);
}

/** Throws DESTINATION_INVALID unless there can be a collector there. */
export function checkEndpoint(host: string, port: number): void {
  if (typeof host !== "string" || host === "" || /\s/.test(host)) {
    throw unusable(`host is ${JSON.stringify(host)}: give an address or a name`);
  }
  checkInteger("port", port, 1, 65_535);
}

/** "udp [2001:db8::1]:4739", "tcp collector.example:4739". */
export function collectorName(protocol: string, host: string, port: number): string {
  return `${protocol} ${host.includes(":") ? `[${host}]` : host}:${port}`;
}
