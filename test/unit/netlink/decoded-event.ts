// An event, decoded by the code under test, as a plain object to compare.
import { type NodeData, nodeFields, readNode } from "../../../src/ioam/index.ts";
import { IoamEvent } from "../../../src/netlink/index.ts";
import { FAMILY } from "../../lab/ioam-event.ts";

export interface DecodedEvent {
  kind: "trace" | "dex";
  namespace: number;
  traceType: number;
  flowId: number | undefined;
  sequence: number | undefined;
  /** Along the path. */
  nodes: NodeData[];
}

/** The event decoded last, out of the octets it is in. */
export function plainEvent(event: IoamEvent): DecodedEvent {
  const nodes = Array.from({ length: event.hops }, (_, hop) => {
    const fields = nodeFields();
    event.locate(hop, fields);
    return readNode(event.view, fields);
  });
  return {
    kind: event.kind,
    namespace: event.namespaceId,
    traceType: event.traceType,
    flowId: event.flowId,
    sequence: event.sequenceNumber,
    nodes,
  };
}

/** A message decoded alone; undefined when it is no event or contradicts itself. */
export function decodeAlone(message: Uint8Array): DecodedEvent | undefined {
  const event = new IoamEvent(FAMILY);
  return event.decode(message, 0, message.length) ? plainEvent(event) : undefined;
}
