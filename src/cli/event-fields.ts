// The fields of a node in an event, in the order of the trace type's bits, named and as text.
import {
  type NodeData,
  type TimestampFormats,
  timestampFormat,
  timestampNanoseconds,
} from "../ioam/index.ts";

/** An event as monitor shows it, out of the batch it came in. */
export interface ShownEvent {
  event: "trace" | "dex";
  ioamNamespaceId: number;
  ioamTraceType: string;
  ioamFlowId?: number;
  ioamSequenceNumber?: number;
  /** Along the path: the last one sent the event. */
  nodes: NodeData[];
}

/**
 * The time that a node's seconds and fraction stand for, in ISO 8601; undefined when it does not
 * have both, or they are no time of the namespace's format.
 */
export function nodeTime(
  node: NodeData,
  namespaceId: number,
  formats: TimestampFormats,
): string | undefined {
  const { ioamTimestampSeconds: seconds, ioamTimestampFraction: fraction } = node;
  if (seconds == null || fraction == null) return undefined;
  const format = timestampFormat(formats, namespaceId);
  const time = timestampNanoseconds(seconds, fraction, format);
  if (time === undefined || time < 0n) return undefined;
  const date = new Date(Number(time / 1_000_000n)).toISOString().slice(0, 19);
  const digits = String(time % 1_000_000_000n).padStart(9, "0");
  return `${date}.${format === "posix" ? digits.slice(0, 6) : digits}Z`;
}

/** Octets as hexadecimal digits. */
export function hexadecimal(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString("hex");
}
