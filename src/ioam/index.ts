// IOAM's data fields (RFC 9197): trace types, trace data, node data, timestamps: pure functions. And a node's ids.

export { type NodeData, readNode } from "./node-data.ts";
export { type NodeFields, nodeFields, SNAPSHOT_DATA, SNAPSHOT_LENGTH } from "./node-fields.ts";
export { type NodeIds, readIPv6Sysctl, readNodeIds } from "./node-ids.ts";
export { pathDelayMicroseconds } from "./path-delay.ts";
export {
  LINUX_TIMESTAMPS,
  TIMESTAMP_FORMATS,
  type TimestampFormat,
  type TimestampFormats,
  timestampFormat,
  timestampNanoseconds,
} from "./timestamp.ts";
export { locateFields, MAX_NODES, splitNodes } from "./trace-data.ts";
export {
  BIT,
  bitMask,
  hasBit,
  type TraceLayout,
  traceLayout,
  traceTypeText,
} from "./trace-type.ts";
