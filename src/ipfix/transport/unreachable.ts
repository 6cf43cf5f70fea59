// Why none of a collector's addresses did, in one line.
import { IoamctlError } from "../../errors.ts";

/** Why one address did not do: the errno's name. */
export interface AddressFailure {
  address: string;
  code: string;
  cause: unknown;
}

/** COLLECTOR_UNREACHABLE. `name` is the destination's; `connectTimeout` in milliseconds. */
export function unreachable(
  { name, connectTimeout }: { name: string; connectTimeout: number },
  failures: readonly AddressFailure[],
): IoamctlError {
  const all = (code: string): boolean => failures.every((failure) => failure.code === code);
  const list =
    failures.length === 1
      ? failures[0].code
      : failures.map(({ address, code }) => `${address}: ${code}`).join(", ");
  let message = `cannot reach the collector (${list}): check its address and this host's routes`;
  if (all("ECONNREFUSED")) {
    message = `the collector refuses the connection (${list}): start it, or check its port`;
  } else if (all("ETIMEDOUT")) {
    message = `the collector does not answer in ${connectTimeout} ms (${list}): check its address, and firewalls on the way`;
  }
  return new IoamctlError("COLLECTOR_UNREACHABLE", `${name}: ${message}`, {
    cause: failures.at(-1)?.cause,
  });
}
