// What TCP and TLS need to know of a collector.
import type { Destination } from "./destination.ts";
import {
  checkEndpoint,
  checkInteger,
  checkRetry,
  checkTime,
  collectorName,
} from "./destination-options.ts";
import { type Lookup, systemLookup } from "./name-lookup.ts";

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
  /** Resolves the name; default: as this host does. */
  lookup?: Lookup;
}

/** The same with its defaults. */
export interface StreamTarget {
  /** "tcp [2001:db8::1]:4739" */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly connectTimeout: number;
  readonly keepAlive: number;
  readonly lookup: Lookup;
  readonly retry: Destination["retry"];
}

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
  const { lookup = systemLookup } = options;
  checkEndpoint(host, port);
  checkTime("connectTimeout", connectTimeout);
  checkRetry(retry);
  checkInteger("keepAlive", keepAlive, 1000, LONGEST_KEEP_ALIVE);
  return {
    name: collectorName(protocol, host, port),
    host,
    port,
    connectTimeout,
    keepAlive,
    lookup,
    retry,
  };
}
