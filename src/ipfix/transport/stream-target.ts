// What TCP and TLS need to know of a collector.
import { IoamctlError } from "../../errors.ts";
import type { Destination } from "./destination.ts";
import { checkRetry } from "./destination-options.ts";

/** A collector that takes IPFIX in a stream, and how to reach it. */
export interface StreamOptions {
  /**
   * Address or name; a link-local IPv6 address with its zone ("fe80::1%eth0"). The addresses of a
   * name are tried one after another.
   */
  host: string;
  /** Default: 4739, over TLS 4740. */
  port?: number;
  /** Milliseconds for a session to begin, from the look-up of the name on; default: 10 000. */
  connectTimeout?: number;
  /** Default: 60 000 at first, as RFC 7011 section 10.4 asks for, 600 000 at most. */
  retry?: Destination["retry"];
  /**
   * Milliseconds of silence after which the kernel asks whether the collector is still there; some
   * ten seconds without an answer later the session is over. Default: 60 000.
   */
  keepAlive?: number;
}

/** The same with its defaults. */
export interface StreamTarget {
  /** "tcp [2001:db8::1]:4739" */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly connectTimeout: number;
  readonly keepAlive: number;
  readonly retry: Destination["retry"];
}

/** Longest time of a timer, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The longest that the kernel takes for keep-alive is 32 767 s. */
const LONGEST_KEEP_ALIVE = 32_767_000;

/** Checks the options. Throws DESTINATION_INVALID. */
export function streamTarget(
  protocol: string,
  options: StreamOptions,
  defaultPort: number,
): StreamTarget {
  const { host, port = defaultPort, connectTimeout = 10_000 } = options;
  const { retry = { first: 60_000, most: 600_000 }, keepAlive = 60_000 } = options;
  if (typeof host !== "string" || host === "") {
    throw invalid(`${protocol}: a collector needs a host: give its address or its name`);
  }
  const name = `${protocol} ${host.includes(":") ? `[${host}]` : host}:${port}`;
  checkWhole(name, "port", port, 1, 65535);
  checkWhole(name, "connectTimeout", connectTimeout, 1, LONGEST_TIMER);
  checkRetry(retry);
  checkWhole(name, "keepAlive", keepAlive, 1000, LONGEST_KEEP_ALIVE);
  return { name, host, port, connectTimeout, keepAlive, retry };
}

function checkWhole(name: string, key: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw invalid(`${name}: ${key} is ${value}: give a whole number from ${least} to ${most}`);
}

function invalid(message: string): IoamctlError {
  return new IoamctlError("DESTINATION_INVALID", message);
}
