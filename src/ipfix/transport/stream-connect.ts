// Connects a stream socket to a collector: its name looked up, its addresses tried in turn.
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { connect, isIP, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { IoamctlError } from "../../errors.ts";
import type { Attempt } from "./attempt.ts";
import type { StreamTarget } from "./stream-target.ts";
import { type AddressFailure, unreachable } from "./unreachable.ts";

/**
 * Gives a connected socket. Rejects with COLLECTOR_UNKNOWN when the name does not resolve,
 * COLLECTOR_UNREACHABLE when no address of it takes the connection in time.
 */
export async function connectStream(target: StreamTarget, attempt: Attempt): Promise<Socket> {
  return connectFirst(await addressesOf(target, attempt), target, attempt);
}

/** The same with the addresses known. Each gets its share of the time that is left. */
export async function connectFirst(
  addresses: readonly string[],
  target: StreamTarget,
  attempt: Attempt,
): Promise<Socket> {
  const failures: AddressFailure[] = [];
  for (const [i, address] of addresses.entries()) {
    const share = attempt.left / (addresses.length - i);
    const socket = connect({
      host: address,
      port: target.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: target.keepAlive,
    });
    // For what comes between two owners of the socket: the next one sees that it is destroyed.
    socket.on("error", () => {});
    try {
      const late = (): never => {
        throw new IoamctlError("ETIMEDOUT", `${address}: no answer`);
      };
      await attempt.within(once(socket, "connect"), late, share);
      return socket;
    } catch (cause) {
      socket.destroy();
      const { code = "EIO" } = cause as { code?: string };
      if (code === "CONNECT_ABORTED") throw cause;
      failures.push({ address, code, cause });
    }
  }
  throw unreachable(target, failures);
}

async function addressesOf(target: StreamTarget, attempt: Attempt): Promise<string[]> {
  const { name, host } = target;
  if (isIP(host) !== 0) {
    checkZone(target);
    return [host];
  }
  const late = (): never => {
    throw new IoamctlError(
      "COLLECTOR_UNKNOWN",
      `${name}: no answer to the look-up of the name in ${target.connectTimeout} ms: check the resolver, or give an address`,
    );
  };
  try {
    const found = await attempt.within(lookup(host, { all: true }), late);
    return found.map(({ address }) => address);
  } catch (cause) {
    if (cause instanceof IoamctlError) throw cause;
    throw new IoamctlError(
      "COLLECTOR_UNKNOWN",
      `${name}: the collector's name does not resolve: check it, or give its address`,
      { cause },
    );
  }
}

/** Newer Node takes a zone that does not exist for none, and the kernel then any interface. */
function checkZone({ name, host }: StreamTarget): void {
  const [, zone] = host.split("%");
  if (zone === undefined || networkInterfaces()[zone] !== undefined) return;
  throw new IoamctlError(
    "COLLECTOR_UNREACHABLE",
    `${name}: no interface ${zone} is up here: check the zone of the collector's address`,
  );
}
