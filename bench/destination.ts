// The destinations that the exporting process is measured with.

import { type Destination, udpDestination } from "../src/ipfix/index.ts";
import { NOWHERE } from "./nowhere.ts";

/** TRANSPORT: udp, or none. */
export function destinationOf(transport: string, host: string, port: number): Destination {
  switch (transport) {
    case "udp":
      return udpDestination({ host, port });
    case "none":
      return NOWHERE;
    default:
      throw new Error(`there is no transport ${transport}`);
  }
}
