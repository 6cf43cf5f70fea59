// Where a configuration exports to: collectors and files as destinations of exporting processes.
import {
  type Destination,
  dtlsDestination,
  type ExportingProcessOptions,
  fileDestination,
  tcpDestination,
  tlsDestination,
  udpDestination,
} from "../../ipfix/index.ts";
import type { CollectorConfig, FileConfig } from "../config/agent-config.ts";

/** A collector. Throws what its transport's destination throws for options that cannot be. */
export function collectorDestination(collector: CollectorConfig): Destination {
  const { address, transport, reconnect, connectTimeout, tls } = collector;
  const retry = { first: reconnect, most: reconnect };
  if (transport === "udp") return udpDestination({ ...address, retry });
  const stream = { ...address, retry, connectTimeout };
  if (transport === "tcp") return tcpDestination(stream);
  const { ca, cert, key, passphrase, serverName, peers } = tls!;
  const secured = {
    ...stream,
    ca,
    cert,
    key,
    ...(passphrase !== undefined && { passphrase }),
    ...(serverName !== undefined && { serverName }),
    ...(peers !== undefined && { peers }),
  };
  return transport === "tls" ? tlsDestination(secured) : dtlsDestination(secured);
}

/** How to export to a collector, as its exporting process takes it. */
export function collectorSettings({
  templateRefresh,
  mtu,
  maxRate,
}: CollectorConfig): Pick<ExportingProcessOptions, "templateRefresh" | "mtu" | "maxRate"> {
  return {
    templateRefresh: templateRefresh / 1000,
    ...(mtu !== undefined && { mtu }),
    ...(maxRate !== undefined && { maxRate }),
  };
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
