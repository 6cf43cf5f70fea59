// The addresses of a collector's name.
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { IoamctlError } from "../../errors.ts";
import type { Attempt } from "./attempt.ts";

/** Gives the addresses of a name, numeric, the one to try first first. Rejects when it has none. */
export type Lookup = (name: string) => Promise<readonly string[]>;

/** As this host resolves names: /etc/hosts, DNS, whatever it is configured for. */
export const systemLookup: Lookup = async (name) => {
  const found = await lookup(name, { all: true });
  return found.map(({ address }) => address);
};

/** The addresses of a host, which may be one itself. Throws COLLECTOR_UNKNOWN when there is none. */
export async function addressesOf(host: string, find: Lookup): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  let cause: unknown;
  try {
    const found = await find(host);
    if (found.length > 0) return found;
  } catch (error) {
    cause = error;
  }
  throw new IoamctlError(
    "COLLECTOR_UNKNOWN",
    `the collector's name ${host} does not resolve: check it, or give its address`,
    { cause },
  );
}

/** The same within an attempt to connect; COLLECTOR_UNKNOWN also when the answer comes too late. */
export function addressesWithin(
  attempt: Attempt,
  host: string,
  find: Lookup,
): Promise<readonly string[]> {
  const { name, timeout } = attempt;
  return attempt.within(addressesOf(host, find), () => {
    const message = `${name}: no answer to the look-up of the name in ${timeout} ms: check the resolver, or give an address`;
    throw new IoamctlError("COLLECTOR_UNKNOWN", message);
  });
}
