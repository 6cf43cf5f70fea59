// UDP ports of this machine: a free one, and what waits at one.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";

/** Octets that wait in the receive buffer of a UDP port; undefined: nobody listens. */
export async function udpQueue(port: number): Promise<number | undefined> {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  for (const table of ["/proc/self/net/udp", "/proc/self/net/udp6"]) {
    for (const line of (await readFile(table, "utf8")).split("\n").slice(1)) {
      const [, local, , , queues] = line.trim().split(/\s+/);
      if (local?.split(":")[1] === wanted) return Number.parseInt(queues!.split(":")[1]!, 16);
    }
  }
  return undefined;
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
