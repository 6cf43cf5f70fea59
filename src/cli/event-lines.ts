// An IOAM event as lines for people: one for the event, one for each node along the path.
import type { NodeData, TimestampFormats } from "../ioam/index.ts";
import { hexadecimal, nodeTime, type ShownEvent } from "./event-fields.ts";

/** The lines of an event. */
export function* eventLines(event: ShownEvent, formats: TimestampFormats): Generator<string> {
  const { ioamFlowId: flow, ioamSequenceNumber: sequence, nodes } = event;
  yield [
    `${event.event}  namespace ${event.ioamNamespaceId}  type ${event.ioamTraceType}`,
    ...(flow === undefined ? [] : [`flow 0x${flow.toString(16)}`]),
    ...(sequence === undefined ? [] : [`sequence ${sequence}`]),
    ...(nodes.length === 0 ? ["no node's data"] : []),
  ].join("  ");
  for (const [hop, node] of nodes.entries()) {
    const parts = [...nodeParts(node, event.ioamNamespaceId, formats)];
    if (parts.length > 0)
      yield `  ${event.event === "trace" ? `${hop + 1}  ` : ""}${parts.join("  ")}`;
  }
}

type Value = number | bigint | null;

/** "what value", nothing when the event does not carry it. */
function* part(what: string, value: Value | undefined, hex = false): Generator<string> {
  if (value !== undefined) yield `${what} ${text(value, hex)}`;
}

function text(value: Value, hex = false): string {
  if (value === null) return "n/a";
  return hex ? `0x${value.toString(16)}` : String(value);
}

function* nodeParts(
  node: NodeData,
  namespaceId: number,
  formats: TimestampFormats,
): Generator<string> {
  yield* part("node", node.ioamNodeId);
  yield* part("hop limit", node.ioamHopLimit);
  yield* part("in", node.ioamIngressInterfaceId);
  yield* part("out", node.ioamEgressInterfaceId);
  yield* timeParts(node, namespaceId, formats);
  yield* delayParts(node);
  yield* part("data", node.ioamNamespaceData, true);
  yield* part("queue", node.ioamQueueDepth);
  yield* part("checksum complement", node.ioamChecksumComplement, true);
  yield* part("wide node", node.ioamNodeIdWide);
  yield* part("wide hop limit", node.ioamHopLimitWide);
  yield* part("wide in", node.ioamIngressInterfaceIdWide);
  yield* part("wide out", node.ioamEgressInterfaceIdWide);
  yield* part("wide data", node.ioamNamespaceDataWide, true);
  yield* part("buffers", node.ioamBufferOccupancy);
  for (const [bit, value] of Object.entries(node.ioamUndefined ?? {})) {
    yield* part(`bit ${bit}`, value, true);
  }
  yield* part("schema", node.ioamSnapshotSchemaId);
  const snapshot = node.ioamSnapshotData;
  if (snapshot !== undefined && snapshot.length > 0) yield `snapshot ${hexadecimal(snapshot)}`;
}

/** One time if seconds and fraction are one, else what there is of them. */
function* timeParts(
  node: NodeData,
  namespaceId: number,
  formats: TimestampFormats,
): Generator<string> {
  const time = nodeTime(node, namespaceId, formats);
  if (time !== undefined) {
    yield time;
    return;
  }
  yield* part("seconds", node.ioamTimestampSeconds);
  yield* part("fraction", node.ioamTimestampFraction);
}

function* delayParts(node: NodeData): Generator<string> {
  const delay = node.ioamTransitDelayNanoseconds;
  if (delay === undefined) return;
  if (delay === null) yield "delay n/a";
  else yield `delay ${node.ioamTransitDelayOverflow ? "over 2147483647" : delay} ns`;
}
