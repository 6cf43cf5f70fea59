// Where a configuration exports to: collectors and files as destinations of exporting processes.
import { IoamctlError } from "../errors.ts";
import { type Destination, fileDestination, udpDestination } from "../ipfix/index.ts";
import type { CollectorConfig, FileConfig } from "./config/agent-config.ts";

/** A collector. Throws what its transport's destination throws for options that cannot be. */
export function collectorDestination({
  address,
  transport,
  reconnect,
}: CollectorConfig): Destination {
  if (transport === "udp") {
    return udpDestination({
      ...address,
      retry: { first: Math.min(10_000, reconnect), most: reconnect },
    });
  }
  throw new IoamctlError(
    "TRANSPORT_UNAVAILABLE",
    `this version exports over udp, not over ${transport}`,
  );
}

/** IPFIX files (RFC 5655). */
export function outputDestination({ path, rotate, maxSize, keep }: FileConfig): Destination {
  return fileDestination({
    path,
    rotate,
    ...(maxSize !== undefined && { maxOctets: maxSize }),
    ...(keep !== undefined && { keep }),
  });
}
