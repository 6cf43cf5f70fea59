// Front of the udp-batch addon: connected UDP sockets that send many datagrams a system call.

import { getSystemErrorName } from "node:util";
import { IoamctlError } from "../errors.ts";
import { loadAddon } from "./load-addon.ts";

/** A connected UDP socket; it never blocks. */
export interface UdpBatch {
  /** Whether the kernel cuts one large send into datagrams (UDP_SEGMENT); else sendmmsg does it. */
  readonly gso: boolean;
  /**
   * Sends `length` octets from `offset` on as datagrams of `segment` octets, the last may be shorter.
   * Returns the octets that the kernel took, whole datagrams from the first on; 0 when the socket is
   * full. Throws IoamctlError with the errno's name as code when nothing was taken.
   */
  send(buffer: Uint8Array, offset: number, length: number, segment: number): number;
  /** Octets of the largest IP packet to the peer, as far as the kernel knows. */
  pathMtu(): number | undefined;
  /** Settles when the socket has room again, or an error that the next `send` throws. */
  writable(): Promise<void>;
  /** Closes the socket; what waits for room goes on, and fails. Safe to repeat. */
  close(): void;
}

/** Where to send to. */
export interface UdpBatchOptions {
  /** Numeric; a link-local IPv6 address with its zone ("fe80::1%eth0"). */
  address: string;
  port: number;
  family: 4 | 6;
  /** Octets of the socket's send buffer; default: the system's. */
  sendBuffer?: number;
}

interface NativeSocket {
  readonly gso: boolean;
  send(buffer: Uint8Array, offset: number, length: number, segment: number): number;
  pathMtu(): number;
  writable(): Promise<void>;
  close(): void;
}

interface Addon {
  Socket: new (address: string, port: number, family: number, sendBuffer: number) => NativeSocket;
}

let addon: Addon | undefined;

/**
 * Opens a socket connected to a peer. Throws NATIVE_MISSING when the addon was not built, and an
 * IoamctlError with the errno's name as code when the peer's network cannot be reached.
 */
export function openUdpBatch(options: UdpBatchOptions): UdpBatch {
  addon ??= loadAddon("udp-batch") as Addon;
  const { address, port, family, sendBuffer = 0 } = options;
  let socket: NativeSocket;
  try {
    socket = new addon.Socket(address, port, family, sendBuffer);
  } catch (error) {
    throw failure((error as { errno: number }).errno, (error as Error).message);
  }
  return {
    get gso(): boolean {
      return socket.gso;
    },
    send(buffer, offset, length, segment): number {
      const taken = socket.send(buffer, offset, length, segment);
      if (taken < 0) throw failure(-taken, "send");
      return taken;
    },
    pathMtu: () => socket.pathMtu() || undefined,
    writable: () => socket.writable(),
    close: () => socket.close(),
  };
}

function failure(errno: number, what: string): IoamctlError {
  const name = getSystemErrorName(-errno);
  return new IoamctlError(name, `UDP socket: ${what} failed with ${name}`);
}
