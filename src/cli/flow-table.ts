// Flows as the table that `dump` prints.
import type { Flow } from "../meter/index.ts";
import { protocolName } from "./protocol.ts";
import { shortenCount, shortenEndpoint, shortenMiddle } from "./shorten.ts";
import type { Column } from "./table.ts";

/** Columns that `dump` fits its table into. */
export const TABLE_WIDTH = 120;

const UNKNOWN = "-";

/**
 * The columns of a table of flows. `now` is Unix time in milliseconds: AGE counts from a flow's last
 * packet to it.
 */
export function flowColumns(now: number): Column<Flow>[] {
  return [
    {
      title: "IFACE",
      cell: (flow) => flow.interfaceName,
      shrink: { rank: 3, minimum: 6, fit: shortenMiddle },
    },
    { title: "DIR", cell: (flow) => (flow.flowDirection === "ingress" ? "in" : "out") },
    { title: "NS", cell: (flow) => String(flow.ioamNamespaceId) },
    { title: "FLOW-ID", cell: (flow) => hexadecimal(flow.ioamFlowId) },
    endpointColumn("SRC", sourceOf),
    endpointColumn("DST", destinationOf),
    { title: "PROTO", cell: (flow) => protocolName(flow.protocolIdentifier) },
    countColumn("PACKETS", (flow) => flow.packetDeltaCount),
    countColumn("OCTETS", (flow) => flow.octetDeltaCount),
    countColumn("LOST", (flow) => flow.ioamLostPacketCount),
    countColumn("REORD", (flow) => flow.ioamReorderedPacketCount),
    { title: "AGE", align: "right", cell: (flow) => age(now - flow.flowEndMilliseconds) },
  ];
}

/** The source of a flow, of the inner packet when it is tunnelled: "[2001:db8::1]:40000". */
export function sourceOf(flow: Flow): string {
  return endpoint(flow.sourceIPv6Address, flow.sourceIPv4Address, flow.sourceTransportPort);
}

/** The destination of a flow, written as its source is. */
export function destinationOf(flow: Flow): string {
  return endpoint(
    flow.destinationIPv6Address,
    flow.destinationIPv4Address,
    flow.destinationTransportPort,
  );
}

/** Milliseconds as the largest whole unit that is not zero: "4s", "12m", "3h", "5d". */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

function endpointColumn(title: string, cell: (flow: Flow) => string): Column<Flow> {
  return { title, cell, shrink: { rank: 1, minimum: 17, fit: shortenEndpoint } };
}

function countColumn(title: string, count: (flow: Flow) => bigint | undefined): Column<Flow> {
  return {
    title,
    align: "right",
    cell: (flow) => String(count(flow) ?? UNKNOWN),
    shrink: { rank: 2, minimum: 6, fit: shortenCount },
  };
}

function hexadecimal(flowId: number | undefined): string {
  return flowId === undefined ? UNKNOWN : `0x${flowId.toString(16)}`;
}

function endpoint(
  ipv6: string | undefined,
  ipv4: string | undefined,
  port: number | undefined,
): string {
  const address = ipv6 ?? ipv4 ?? UNKNOWN;
  if (port === undefined) return address;
  return ipv6 === undefined ? `${address}:${port}` : `[${address}]:${port}`;
}
