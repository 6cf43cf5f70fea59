// IPFIX over UDP (RFC 7011 section 10.3).
import { isIP } from "node:net";
import { IoamctlError } from "../../errors.ts";
import { openUdpBatch } from "../../native/udp-batch.ts";
import { type DatagramSocket, openDatagramSocket } from "./datagram-socket.ts";
import type { Destination } from "./destination.ts";
import {
  checkEndpoint,
  checkInteger,
  checkRetry,
  checkTime,
  collectorName,
} from "./destination-options.ts";
import { addressesOf, type Lookup, systemLookup } from "./name-lookup.ts";
import { NameWatch } from "./name-watch.ts";
import type { Transport } from "./transport.ts";
import { untilAborted } from "./until-aborted.ts";

/** IANA's port for IPFIX. */
export const IPFIX_PORT = 4739;

/** Where a collector listens. */
export interface UdpOptions {
  /** Address or name; a link-local IPv6 address with its zone ("fe80::1%eth0"). */
  host: string;
  /** Default: 4739. */
  port?: number;
  /** Octets of the socket's send buffer; default: the system's. */
  sendBuffer?: number;
  /**
   * Whether to use the addon, which sends in batches and knows the path's MTU. Without it one
   * datagram is sent after another through Node. Default: if it is there.
   */
  native?: boolean;
  /** Resolves the name; default: as this host does. */
  lookup?: Lookup;
}

/** A collector to which sessions are opened again and again. */
export interface UdpDestinationOptions extends UdpOptions {
  /** Milliseconds after which a name is looked up again; default: 60 000. */
  resolveInterval?: number;
  /** Default: 10 000 at first, 60 000 at most. */
  retry?: Destination["retry"];
}

const IPV4_AND_UDP = 20 + 8;
const IPV6_AND_UDP = 40 + 8;

/** What the kernel's 32 bits take. */
export const LARGEST_SEND_BUFFER: number = 2 ** 30;

/**
 * Opens a connected UDP socket to a collector: to the first of a name's addresses to which there is
 * a way. Throws COLLECTOR_UNKNOWN when the name does not resolve, COLLECTOR_UNREACHABLE when there is
 * no way to its network.
 */
export async function openUdp(options: UdpOptions): Promise<Transport> {
  const { socket, address } = await connectUdp(options);
  return transportOf(socket, address, options.port ?? IPFIX_PORT, undefined);
}

/**
 * A collector that listens on UDP. A session ends in order when the collector's name does not have
 * its address any more; while the name does not resolve at all, the session goes on. Throws
 * DESTINATION_INVALID.
 */
export function udpDestination(options: UdpDestinationOptions): Destination {
  const { host, port = IPFIX_PORT, sendBuffer, lookup = systemLookup } = options;
  const { resolveInterval = 60_000, retry = { first: 10_000, most: 60_000 } } = options;
  checkEndpoint(host, port);
  if (sendBuffer !== undefined) checkInteger("sendBuffer", sendBuffer, 1, LARGEST_SEND_BUFFER);
  checkTime("resolveInterval", resolveInterval);
  checkRetry(retry);

  const open = async (): Promise<Transport> => {
    const { socket, address } = await connectUdp(options);
    const watch =
      address === host ? undefined : new NameWatch(host, address, lookup, resolveInterval);
    return transportOf(socket, address, port, watch);
  };
  return {
    name: collectorName("udp", host, port),
    retry,
    connect(signal) {
      return untilAborted(open(), signal, (late) => late.close());
    },
  };
}

async function connectUdp(
  options: UdpOptions,
): Promise<{ socket: DatagramSocket; address: string }> {
  const { host, port = IPFIX_PORT, lookup = systemLookup } = options;
  let failure: unknown;
  for (const address of await addressesOf(host, lookup)) {
    try {
      return { socket: await openSocket(address, port, options), address };
    } catch (error) {
      if (codeOf(error).startsWith("NATIVE_")) throw error;
      failure ??= error;
    }
  }
  throw new IoamctlError(
    "COLLECTOR_UNREACHABLE",
    `cannot reach the collector ${host} port ${port} (${codeOf(failure)}): check its address and this host's routes`,
    { cause: failure },
  );
}

async function openSocket(
  address: string,
  port: number,
  { native, sendBuffer }: UdpOptions,
): Promise<DatagramSocket> {
  const family: 4 | 6 = isIP(address) === 6 ? 6 : 4;
  const peer = { address, port, family, ...(sendBuffer === undefined ? {} : { sendBuffer }) };
  if (native !== false) {
    try {
      return openUdpBatch(peer);
    } catch (error) {
      if (native === true || !codeOf(error).startsWith("NATIVE_")) throw error;
    }
  }
  return openDatagramSocket(peer);
}

function transportOf(
  socket: DatagramSocket,
  address: string,
  port: number,
  watch: NameWatch | undefined,
): Transport {
  const failed = (error: unknown): never => {
    watch?.sendFailed(codeOf(error));
    throw error;
  };
  return {
    headerLength: isIP(address) === 6 ? IPV6_AND_UDP : IPV4_AND_UDP,
    reliable: false,
    peer: { address, port, protocol: "udp" },
    ended: watch?.moved ?? new Promise(() => {}),
    pathMtu: () => socket.pathMtu(),
    send(buffer, offset, length, messageLength) {
      try {
        const taken = socket.send(buffer, offset, length, messageLength);
        return typeof taken === "number" ? taken : taken.catch(failed);
      } catch (error) {
        return failed(error);
      }
    },
    writable: () => socket.writable(),
    close() {
      watch?.close();
      socket.close();
    },
  };
}

function codeOf(error: unknown): string {
  return (error as { code?: string } | undefined)?.code ?? "";
}
