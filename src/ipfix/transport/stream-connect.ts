// Connects a stream socket to a collector: its name looked up, its addresses tried in turn.
import { once } from "node:events";
import { connect, isIP, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { IoamctlError } from "../../errors.ts";
import type { Attempt } from "./attempt.ts";
import { addressesWithin } from "./name-lookup.ts";
import type { StreamTarget } from "./stream-target.ts";
import { type AddressFailure, unreachable } from "./unreachable.ts";

/**
 * Gives a connected socket. Rejects with COLLECTOR_UNKNOWN when the name does not resolve,
 * COLLECTOR_UNREACHABLE when no address of it takes the connection in time.
 */
export async function connectStream(target: StreamTarget, attempt: Attempt): Promise<Socket> {
  checkZone(target);
  const addresses = await addressesWithin(attempt, target.host, target.lookup);
  return connectFirst(addresses, target, attempt);
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

/** Newer Node takes a zone that does not exist for none, and the kernel then any interface. */
function checkZone({ name, host }: StreamTarget): void {
  const [address, zone] = host.split("%");
  if (isIP(address!) === 0) return;
  if (zone === undefined || networkInterfaces()[zone] !== undefined) return;
  throw new IoamctlError(
    "COLLECTOR_UNREACHABLE",
    `${name}: no interface ${zone} is up here: check the zone of the collector's address`,
  );
}
