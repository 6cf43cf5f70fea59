// The destinations that the exporting process is measured with.

import {
  type Destination,
  tcpDestination,
  tlsDestination,
  udpDestination,
} from "../src/ipfix/index.ts";
import { NOWHERE } from "./nowhere.ts";

/** TRANSPORT: udp, tcp, tls, or none. `files`: of CA, certificate and key, for TLS. */
export function destinationOf(
  transport: string,
  host: string,
  port: number,
  [ca, cert, key]: readonly string[],
): Destination {
  switch (transport) {
    case "udp":
      return udpDestination({ host, port });
    case "tcp":
      return tcpDestination({ host, port });
    case "tls":
      return tlsDestination({ host, port, ca: ca!, cert: cert!, key: key! });
    case "none":
      return NOWHERE;
    default:
      throw new Error(`there is no transport ${transport}`);
  }
}
