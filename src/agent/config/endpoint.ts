// Where a collector listens, as people write it.
import { isIPv4, isIPv6 } from "node:net";

/** A host and a port. */
export interface Endpoint {
  /** An IPv6 address without brackets (with its zone, if any), an IPv4 address, or a name. */
  readonly host: string;
  readonly port: number;
}

/** What `parseEndpoint` takes, for messages. */
export const ENDPOINT_FORMS =
  'ADDRESS:PORT, such as "[2001:db8::1]:4739", 192.0.2.1:4739 or name:4739';

/** "[v6]:port", "v4:port" or "name:port"; undefined for anything else. Ports are 1 to 65535. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [, ipv6, other, digits] = match;
  const port = Number(digits);
  if (port < 1 || port > 65_535) return undefined;
  if (ipv6 !== undefined) {
    return isIPv6(ipv6) ? { host: ipv6, port } : undefined;
  }
  return isIPv4(other!) || isHostName(other!) ? { host: other!, port } : undefined;
}

/** A name of letters, digits, hyphens and underscores in labels, whose last is not a number. */
function isHostName(host: string): boolean {
  if (host.length > 253) return false;
  const labels = host.replace(/\.$/, "").split(".");
  return (
    labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label)) &&
    !/^\d+$/.test(labels.at(-1)!)
  );
}

/** Writes an endpoint as it is read. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
