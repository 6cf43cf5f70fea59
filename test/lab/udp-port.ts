// UDP ports of this machine: a free one, and the socket that listens at one as the kernel sees it.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";

/** A UDP socket as the kernel shows it in /proc/net/udp. */
export interface UdpSocket {
  /** Octets of memory that what waits in its receive buffer takes. */
  queue: number;
  /** Datagrams that the kernel dropped because the buffer was full, or the checksum wrong. */
  drops: number;
}

/** The socket that listens at a port; undefined: nobody does. */
export async function udpSocket(port: number): Promise<UdpSocket | undefined> {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  for (const table of ["/proc/self/net/udp", "/proc/self/net/udp6"]) {
    for (const line of (await readFile(table, "utf8")).split("\n").slice(1)) {
      const columns = line.trim().split(/\s+/);
      if (columns[1]?.split(":")[1] !== wanted) continue;
      const queue = Number.parseInt(columns[4]!.split(":")[1]!, 16);
      return { queue, drops: Number(columns.at(-1)) };
    }
  }
  return undefined;
}

/** Octets that wait in the receive buffer of a UDP port; undefined: nobody listens. */
export async function udpQueue(port: number): Promise<number | undefined> {
  return (await udpSocket(port))?.queue;
}

/** A UDP port that nobody used a moment ago. */
export async function freeUdpPort(address: string): Promise<number> {
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  socket.bind(0, address);
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}
