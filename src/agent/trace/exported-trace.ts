// Trace records as objects again, an event each, for those who print them.
import {
  BIT,
  hasBit,
  type NodeData,
  nodeFields,
  readNode,
  SNAPSHOT_DATA,
  SNAPSHOT_LENGTH,
  traceTypeText,
} from "../../ioam/index.ts";
import type { TraceBatch } from "../sink.ts";
import { DATA_WORD, TRACE_KIND, TRACE_LAYOUT, WORD } from "./record-layout.ts";

/** An event as it was exported; its nodes are along the path. */
export interface ExportedTrace {
  event: "trace" | "dex";
  netns: string | null;
  ioamTraceId: bigint;
  observationTimeMilliseconds: number;
  ioamNamespaceId: number;
  ioamTraceType: string;
  ioamFlowId?: number;
  ioamSequenceNumber?: number;
  pathDelayMicroseconds?: number;
  nodes: NodeData[];
}

const FLOW_ID = 0x80;
const SEQUENCE_NUMBER = 0x40;

/** The events of a batch. */
export function tracesOf({ netns, records }: Omit<TraceBatch, "signal">): ExportedTrace[] {
  const view = new DataView(records.buffer);
  const traces: ExportedTrace[] = [];
  for (let i = 0; i < records.count; i++) {
    const at = 4 * records.offsets[i]!;
    const kind = records.kinds[i]!;
    if (kind === TRACE_KIND.pathDelay) {
      traces.at(-1)!.pathDelayMicroseconds = Number(
        view.getBigUint64(at + 4 * WORD.pathDelay, true),
      );
      continue;
    }
    if (view.getUint8(at + TRACE_LAYOUT.fields.hopIndex!.offset) === 0) {
      traces.push(traceOf(view, at, kind, netns));
    }
    traces.at(-1)!.nodes.push(nodeOf(view, at));
  }
  return traces;
}

function traceOf(view: DataView, at: number, kind: number, netns: string | null): ExportedTrace {
  const flags = view.getUint8(at + TRACE_LAYOUT.fields.extensionFlags!.offset);
  return {
    event: kind === TRACE_KIND.dex || kind === TRACE_KIND.longDex ? "dex" : "trace",
    netns,
    ioamTraceId: view.getBigUint64(at + 4 * WORD.traceId, true),
    observationTimeMilliseconds: Number(view.getBigUint64(at + 4 * WORD.time, true)),
    ioamNamespaceId: view.getUint16(at + 4 * WORD.place, true),
    ioamTraceType: traceTypeText(view.getUint32(at + 4 * WORD.traceType, true)),
    ...(flags & FLOW_ID && { ioamFlowId: view.getUint32(at + 4 * WORD.flowId, true) }),
    ...(flags & SEQUENCE_NUMBER && {
      ioamSequenceNumber: view.getUint32(at + 4 * WORD.sequenceNumber, true),
    }),
    nodes: [],
  };
}

function nodeOf(view: DataView, at: number): NodeData {
  const traceType = view.getUint32(at + 4 * WORD.traceType, true);
  const fields = nodeFields();
  for (let bit = 0; bit <= BIT.snapshot; bit++) {
    if (!hasBit(traceType, bit)) continue;
    const word = DATA_WORD[bit] ?? WORD.undefined + bit - BIT.firstUndefined;
    fields[bit] = at + 4 * word;
  }
  if (hasBit(traceType, BIT.snapshot)) {
    fields[SNAPSHOT_DATA] = at + 4 * WORD.snapshot;
    fields[SNAPSHOT_LENGTH] = view.getUint16(at + 4 * WORD.sizes, true);
  }
  return readNode(view, fields);
}
