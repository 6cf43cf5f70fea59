// How trace records lie in memory between the kernel's events and the encoder.

import { BIT } from "../../ioam/index.ts";
import type { LayoutField, RecordLayout } from "../../ipfix/index.ts";

/**
 * What a record is of, as the place of its template in a session, where those of the three kinds of
 * flow come first: a hop; a hop whose trace type asks for a bit of 12 to 22, so that undefined data
 * and opaque state snapshot follow; the same two of a DEX event; the path delay of a whole trace.
 */
export const TRACE_KIND = { hop: 3, longHop: 4, dex: 5, longDex: 6, pathDelay: 7 } as const;

/** 32-bit words of the parts of a record, from its start; what is no octets is little-endian. */
export const WORD = {
  traceId: 0,
  time: 2,
  /** Namespace, hop index, hops: 16, 8 and 8 bits. */
  place: 4,
  traceType: 5,
  flowId: 6,
  sequenceNumber: 7,
  /** Octets of the snapshot, extension flags: 16 and 8 bits. */
  sizes: 8,
  /** The node's data as it is in the event: bits 0 to 11, each 4 or 8 octets. */
  data: 9,
  /** Path delay in microseconds, in the same place. */
  pathDelay: 9,
  /** Bits 12 to 21. */
  undefined: 24,
  schema: 34,
  snapshot: 35,
} as const;

/** Words of a record without what is undefined, and with all but the snapshot's data. */
export const SHORT_WORDS: number = WORD.undefined;
export const LONG_WORDS: number = WORD.snapshot;

/** By bit up to 11: the word where its data is, of which 8 to 10 have two. */
export const DATA_WORD: readonly number[] = [9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 21, 23];

/** The octets of a bit's data. */
function data(bit: number, at: number, size: number): LayoutField {
  return { offset: 4 * DATA_WORD[bit]! + at, size };
}

/** For the encoder. Octets of node data are in network order. */
export const TRACE_LAYOUT: RecordLayout = {
  size: 4 * LONG_WORDS,
  fields: {
    traceId: { offset: 4 * WORD.traceId, size: 8 },
    time: { offset: 4 * WORD.time, size: 8 },
    namespaceId: { offset: 4 * WORD.place, size: 2 },
    hopIndex: { offset: 4 * WORD.place + 2, size: 1 },
    hopCount: { offset: 4 * WORD.place + 3, size: 1 },
    traceType: { offset: 4 * WORD.traceType, size: 4 },
    flowId: { offset: 4 * WORD.flowId, size: 4 },
    sequenceNumber: { offset: 4 * WORD.sequenceNumber, size: 4 },
    snapshotLength: { offset: 4 * WORD.sizes, size: 2 },
    extensionFlags: { offset: 4 * WORD.sizes + 2, size: 1 },
    hopLimit: data(BIT.nodeId, 0, 1),
    nodeId: data(BIT.nodeId, 1, 3),
    ingressInterface: data(BIT.interfaces, 0, 2),
    egressInterface: data(BIT.interfaces, 2, 2),
    timestampSeconds: data(BIT.timestampSeconds, 0, 4),
    timestampFraction: data(BIT.timestampFraction, 0, 4),
    transitDelay: data(BIT.transitDelay, 0, 4),
    namespaceData: data(BIT.namespaceData, 0, 4),
    queueDepth: data(BIT.queueDepth, 0, 4),
    checksumComplement: data(BIT.checksumComplement, 0, 4),
    hopLimitWide: data(BIT.nodeIdWide, 0, 1),
    nodeIdWide: data(BIT.nodeIdWide, 1, 7),
    ingressInterfaceWide: data(BIT.interfacesWide, 0, 4),
    egressInterfaceWide: data(BIT.interfacesWide, 4, 4),
    namespaceDataWide: data(BIT.namespaceDataWide, 0, 8),
    bufferOccupancy: data(BIT.bufferOccupancy, 0, 4),
    undefined: { offset: 4 * WORD.undefined, size: 40 },
    schemaId: { offset: 4 * WORD.schema + 1, size: 3 },
    snapshot: { offset: 4 * WORD.snapshot, size: 0 },
    pathDelay: { offset: 4 * WORD.pathDelay, size: 8 },
  },
};
