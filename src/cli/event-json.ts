// An IOAM event as a JSON object: every field that it carries by its name, null if not available.
import type { NodeData, TimestampFormats } from "../ioam/index.ts";
import { hexadecimal, nodeTime, type ShownEvent } from "./event-fields.ts";

/** What `monitor --json` prints of an event; toJson() makes a line of it. */
export function eventObject(event: ShownEvent, formats: TimestampFormats): object {
  const { nodes, ...rest } = event;
  return {
    ...rest,
    nodes: nodes.map((node, hop) => nodeObject(node, hop, event.ioamNamespaceId, formats)),
  };
}

function nodeObject(
  node: NodeData,
  hop: number,
  namespaceId: number,
  formats: TimestampFormats,
): object {
  const { ioamUndefined = {}, ioamSnapshotData, ...fields } = node;
  const time = nodeTime(node, namespaceId, formats);
  return {
    ioamHopIndex: hop,
    ...fields,
    ...(time !== undefined && { ioamTimestamp: time }),
    ...Object.fromEntries(
      Object.entries(ioamUndefined).map(([bit, value]) => [`ioamUndefinedBit${bit}`, value]),
    ),
    ...(ioamSnapshotData !== undefined && { ioamSnapshotData: hexadecimal(ioamSnapshotData) }),
  };
}
