// IPFIX over TCP (RFC 7011 section 10.4).
import { Attempt } from "./attempt.ts";
import type { Destination } from "./destination.ts";
import { connectStream } from "./stream-connect.ts";
import { type StreamOptions, streamTarget } from "./stream-target.ts";
import { explainTcp, StreamTransport } from "./stream-transport.ts";
import { IPFIX_PORT } from "./udp.ts";

/** A collector that listens on TCP. */
export type TcpOptions = StreamOptions;

/**
 * A collector over TCP. Throws DESTINATION_INVALID for options that cannot be. Its `connect` rejects
 * with COLLECTOR_UNKNOWN, COLLECTOR_UNREACHABLE or, when given up, CONNECT_ABORTED. A session ends
 * with COLLECTOR_CLOSED or the errno of the socket (ECONNRESET, ETIMEDOUT).
 */
export function tcpDestination(options: TcpOptions): Destination {
  const target = streamTarget("tcp", options, IPFIX_PORT);
  const { name, retry } = target;
  return {
    name,
    retry,
    connect: async (signal) => {
      const attempt = new Attempt(name, target.connectTimeout, signal);
      const socket = await connectStream(target, attempt);
      return new StreamTransport(socket, name, explainTcp(name));
    },
  };
}
