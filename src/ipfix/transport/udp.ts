// IPFIX over UDP (RFC 7011 section 10.3).
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { IoamctlError } from "../../errors.ts";
import { openUdpBatch } from "../../native/udp-batch.ts";
import { type DatagramSocket, openDatagramSocket } from "./datagram-socket.ts";
import type { Transport } from "./transport.ts";

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
}

const IPV4_AND_UDP = 20 + 8;
const IPV6_AND_UDP = 40 + 8;

/**
 * Opens a connected UDP socket to a collector. Throws COLLECTOR_UNKNOWN when its name does not
 * resolve, COLLECTOR_UNREACHABLE when there is no way to its network.
 */
export async function openUdp(options: UdpOptions): Promise<Transport> {
  const { host, port = IPFIX_PORT, sendBuffer } = options;
  const { address, family } = await resolve(host);
  const peer = { address, port, family, ...(sendBuffer === undefined ? {} : { sendBuffer }) };
  const headerLength = family === 4 ? IPV4_AND_UDP : IPV6_AND_UDP;
  try {
    if (options.native !== false) {
      try {
        return transportOf(openUdpBatch(peer), headerLength);
      } catch (error) {
        const code = error instanceof IoamctlError ? error.code : "";
        if (options.native === true || !code.startsWith("NATIVE_")) throw error;
      }
    }
    return transportOf(await openDatagramSocket(peer), headerLength);
  } catch (error) {
    const code = (error as { code?: string }).code ?? "";
    if (code.startsWith("NATIVE_")) throw error;
    throw new IoamctlError(
      "COLLECTOR_UNREACHABLE",
      `cannot reach the collector ${host} port ${port} (${code}): check its address and this host's routes`,
      { cause: error },
    );
  }
}

function transportOf(socket: DatagramSocket, headerLength: number): Transport {
  return {
    headerLength,
    reliable: false,
    ended: new Promise(() => {}),
    pathMtu: () => socket.pathMtu(),
    send: (buffer, offset, length, messageLength) =>
      socket.send(buffer, offset, length, messageLength),
    writable: () => socket.writable(),
    close: () => socket.close(),
  };
}

async function resolve(host: string): Promise<{ address: string; family: 4 | 6 }> {
  const known = isIP(host);
  if (known === 4 || known === 6) return { address: host, family: known };
  try {
    const { address, family } = await lookup(host);
    return { address, family: family === 6 ? 6 : 4 };
  } catch (cause) {
    throw new IoamctlError(
      "COLLECTOR_UNKNOWN",
      `the collector's name ${host} does not resolve: check it, or give its address`,
      { cause },
    );
  }
}
