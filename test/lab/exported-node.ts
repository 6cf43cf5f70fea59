// What a collector ought to find of a node in a trace, from the documentation of the records alone.
import { bitsOf, fieldOctets, type NodeModel, SNAPSHOT_BIT, TRACE_BITS } from "./ioam-node.ts";
import { concat, hex } from "./octets.ts";

export interface ExportedHop {
  namespace: number;
  traceType: number;
  nodes: readonly NodeModel[];
  hop: number;
  /** Of a DEX event: null is what it does not have. */
  dex?: { flowId: number | null; sequence: number | null };
}

/** Elements of each bit up to 11, with their octets. */
const ELEMENTS: readonly (readonly (readonly [name: string, octets: number])[])[] = [
  [
    ["ioamHopLimit", 1],
    ["ioamNodeId", 3],
  ],
  [
    ["ioamIngressInterfaceId", 2],
    ["ioamEgressInterfaceId", 2],
  ],
  [["ioamTimestampSeconds", 4]],
  [["ioamTimestampFraction", 4]],
  [["ioamTransitDelay", 4]],
  [["ioamNamespaceData", 4]],
  [["ioamQueueDepth", 4]],
  [["ioamChecksumComplement", 4]],
  [
    ["ioamHopLimitWide", 1],
    ["ioamNodeIdWide", 7],
  ],
  [
    ["ioamIngressInterfaceIdWide", 4],
    ["ioamEgressInterfaceIdWide", 4],
  ],
  [["ioamNamespaceDataWide", 8]],
  [["ioamBufferOccupancy", 4]],
];

/** The octets of a bit's data; all ones where the trace type does not ask for it. */
function octetsOf(traceType: number, node: NodeModel, bit: number): Uint8Array {
  const has = bitsOf(traceType).includes(bit);
  return has
    ? fieldOctets(bit, node.values.get(bit)!)
    : new Uint8Array(TRACE_BITS[bit]![1]).fill(255);
}

/** By element: integers in decimal, octets in hexadecimal digits. Without time and trace id. */
export function exportedHop(o: ExportedHop): Record<string, string> {
  const node = o.nodes[o.hop]!;
  const fields: Record<string, string> = {
    ioamNamespaceId: String(o.namespace),
    ioamTraceType: String(o.traceType),
    ioamHopCount: String(o.nodes.length),
    ioamHopIndex: String(o.hop),
  };
  if (o.dex !== undefined) {
    const { flowId, sequence } = o.dex;
    fields.ioamFlowId = String(flowId ?? 0);
    fields.ioamSequenceNumber = String(sequence ?? 0);
    fields.ioamExtensionFlags = String((flowId === null ? 0 : 128) + (sequence === null ? 0 : 64));
  }
  for (const [bit, elements] of ELEMENTS.entries()) {
    let digits = hex(octetsOf(o.traceType, node, bit));
    for (const [name, octets] of elements) {
      fields[name] = BigInt(`0x${digits.slice(0, 2 * octets)}`).toString();
      digits = digits.slice(2 * octets);
    }
  }
  if (bitsOf(o.traceType).every((bit) => bit < 12)) return fields;
  const undefinedBits = Array.from({ length: 10 }, (_, i) => octetsOf(o.traceType, node, 12 + i));
  fields.ioamUndefinedData = hex(concat(...undefinedBits));
  const asked = bitsOf(o.traceType).includes(SNAPSHOT_BIT) ? node.snapshot : undefined;
  fields.ioamSnapshotSchemaId = String(asked?.schema ?? 0xffffff);
  fields.ioamSnapshotData = hex(asked?.data ?? new Uint8Array(0));
  return fields;
}
