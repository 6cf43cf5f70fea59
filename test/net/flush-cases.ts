// Flows that a flush is about, and the filters that match some of them.
import type { Flow, FlowFilter } from "../../src/meter/index.ts";
import { type DexPacketOptions, dexPacket } from "../lab/dex-packet.ts";
import { packetOctets } from "../lab/packet.ts";

/**
 * Flows that differ from the traffic in what a filter looks at; each sends 7 packets. The last 32
 * bits of their source are of no flow of the traffic, as the sink looks at them.
 */
export const OTHERS: Record<string, DexPacketOptions> = {
  namespace: { namespace: 456 },
  flowId: { flowId: 0x700000 },
  source: { source: "fd00:1:ffff::f000:1" },
  destination: { destination: "fd00:2:ffff::1" },
  tcp: { upper: [{ kind: "tcp", sourcePort: 443, destinationPort: 444 }] },
};
export const OTHER_PACKETS = 7;

export function otherFrames(): Uint8Array[] {
  return Object.values(OTHERS).flatMap((own) =>
    Array.from({ length: OTHER_PACKETS }, (_, sequence) =>
      packetOctets(
        dexPacket({ source: "fd00:1:eeee::f000:1", flowId: 0x600000, ...own, sequence }),
      ),
    ),
  );
}

/** Which of OTHERS a flow is; undefined: one of the traffic's. */
export function otherOf(flow: Flow): string | undefined {
  if (flow.ioamNamespaceId === 456) return "namespace";
  if (flow.protocolIdentifier === 6) return "tcp";
  if (flow.ioamFlowId === 0x700000) return "flowId";
  if (flow.sourceIPv6Address === "fd00:1:ffff::f000:1") return "source";
  if (flow.destinationIPv6Address === "fd00:2:ffff::1") return "destination";
  return undefined;
}

export function points(flow: Flow): string {
  return `${flow.interfaceName} ${otherOf(flow)}`;
}

export interface Case {
  name: string;
  filter: FlowFilter;
  /** Which of OTHERS it matches, by interface and name. */
  others: (point: string) => boolean;
  /** Which flows of the traffic it matches. */
  traffic: (flow: number) => boolean;
}

const none = (): boolean => false;
const all = (): boolean => true;

/** Flow f of the traffic: fd00:1:: + f, flow id 0xabcdef + f, port 40000 + f. */
export const PARTIAL: Case[] = [
  {
    name: "namespace",
    filter: { namespace: 456 },
    others: (p) => p.endsWith("namespace"),
    traffic: none,
  },
  { name: "protocol", filter: { protocol: 6 }, others: (p) => p.endsWith("tcp"), traffic: none },
  {
    name: "destination",
    filter: { destination: "fd00:2:ffff::1" },
    others: (p) => p.endsWith("destination"),
    traffic: none,
  },
  {
    name: "destination prefix of nobody",
    filter: { destination: "2001:db8::/32" },
    others: none,
    traffic: none,
  },
  {
    name: "destination port",
    filter: { destinationPort: 444 },
    others: (p) => p.endsWith("tcp"),
    traffic: none,
  },
  {
    name: "source",
    filter: { source: "fd00:1:ffff::/48" },
    others: (p) => p.endsWith("source"),
    traffic: none,
  },
  { name: "flow id", filter: { flowId: 0xabcdef + 7 }, others: none, traffic: (f) => f === 7 },
  {
    name: "source prefix of 64 flows",
    filter: { source: "fd00:1::40/122" },
    others: none,
    traffic: (f) => f >= 64 && f < 128,
  },
  { name: "source port", filter: { sourcePort: 40200 }, others: none, traffic: (f) => f === 200 },
  {
    name: "all of them at once, on one interface",
    filter: {
      interfaceName: "in0",
      namespace: 123,
      flowId: 0xabcdef + 300,
      source: "fd00:1::/64",
      destination: "fd00:2::1",
      protocol: 17,
      sourcePort: 40300,
      destinationPort: 53000,
    },
    others: none,
    traffic: (f) => f === 300,
  },
];

export const WHOLE: Case[] = [
  {
    name: "namespace",
    filter: { namespace: 123 },
    others: (p) => !p.endsWith("namespace"),
    traffic: all,
  },
  { name: "protocol", filter: { protocol: 17 }, others: (p) => !p.endsWith("tcp"), traffic: all },
  {
    name: "destination",
    filter: { destination: "fd00:2::1" },
    others: (p) => !p.endsWith("destination"),
    traffic: all,
  },
  {
    name: "destination port",
    filter: { destinationPort: 53000 },
    others: (p) => !p.endsWith("tcp"),
    traffic: all,
  },
  {
    name: "interface",
    filter: { interfaceName: "out0" },
    others: (p) => p.startsWith("out0"),
    traffic: all,
  },
  { name: "everything", filter: {}, others: all, traffic: all },
];
