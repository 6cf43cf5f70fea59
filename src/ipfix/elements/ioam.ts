// The IOAM elements, none of which IANA has registered: those of the existing exporter, and our own.
import { type AbstractDataType, NATURAL_LENGTH } from "./data-type.ts";
import type { InformationElement, Semantics } from "./information-element.ts";
import { IOAM_DESCRIPTIONS } from "./ioam-descriptions.ts";

/** Private enterprise numbers under which IOAM elements are exported. */
export interface EnterpriseNumbers {
  /** Of the elements that the existing IOAM exporter already uses. */
  ioam: number;
  /** Of those that `ioamctl` adds. 32473 is reserved for documentation (RFC 5612). */
  own: number;
}

export const DEFAULT_ENTERPRISE_NUMBERS: Readonly<EnterpriseNumbers> = { ioam: 10383, own: 32473 };

type Row = [
  id: number,
  name: string,
  type: AbstractDataType,
  length: number | undefined,
  semantics: Semantics,
  units?: string,
];

// The opaque state snapshot's data has the length that the node gives it.
const EXISTING: readonly Row[] = [
  [0, "ioamNamespaceId", "unsigned16", undefined, "identifier"],
  [1, "ioamHopLimit", "unsigned8", undefined, "quantity", "hops"],
  [2, "ioamNodeId", "unsigned32", 3, "identifier"],
  [3, "ioamIngressInterfaceId", "unsigned16", undefined, "identifier"],
  [4, "ioamEgressInterfaceId", "unsigned16", undefined, "identifier"],
  [5, "ioamTimestampSeconds", "unsigned32", undefined, "quantity", "seconds"],
  [6, "ioamTimestampFraction", "unsigned32", undefined, "quantity"],
  [7, "ioamNamespaceData", "unsigned32", undefined, "default"],
  [8, "ioamQueueDepth", "unsigned32", undefined, "quantity", "octets"],
  [9, "ioamNodeIdWide", "unsigned64", 7, "identifier"],
  [10, "ioamIngressInterfaceIdWide", "unsigned32", undefined, "identifier"],
  [11, "ioamEgressInterfaceIdWide", "unsigned32", undefined, "identifier"],
  [12, "ioamNamespaceDataWide", "unsigned64", undefined, "default"],
  [13, "ioamSnapshotSchemaId", "unsigned32", 3, "identifier"],
  [14, "ioamSnapshotData", "octetArray", undefined, "default"],
  [15, "ioamFlowId", "unsigned32", undefined, "identifier"],
  [16, "ioamSequenceNumber", "unsigned32", undefined, "identifier"],
];

// Above the ids of the existing ones: pmacct 1.7 takes elements of two enterprises with the same id
// for a repeated one, and reads the first alone.
const OWN: readonly Row[] = [
  [101, "ioamTraceType", "unsigned32", 3, "flags"],
  [102, "ioamExtensionFlags", "unsigned8", undefined, "flags"],
  [103, "ioamSequenceNumberLowest", "unsigned32", undefined, "identifier"],
  [104, "ioamSequenceNumberHighest", "unsigned32", undefined, "identifier"],
  [105, "ioamLostPacketCount", "signed64", undefined, "quantity", "packets"],
  [106, "ioamExpectedPacketCount", "unsigned64", undefined, "deltaCounter", "packets"],
  [107, "ioamReorderedPacketCount", "unsigned64", undefined, "deltaCounter", "packets"],
  [108, "ioamDuplicatePacketCount", "unsigned64", undefined, "deltaCounter", "packets"],
  [109, "tunnelSourceIPv6Address", "ipv6Address", undefined, "default"],
  [110, "tunnelDestinationIPv6Address", "ipv6Address", undefined, "default"],
  [111, "ioamTraceId", "unsigned64", undefined, "identifier"],
  [112, "ioamHopIndex", "unsigned8", undefined, "identifier"],
  [113, "ioamHopCount", "unsigned8", undefined, "quantity", "hops"],
  [114, "ioamTransitDelay", "unsigned32", undefined, "quantity", "nanoseconds"],
  [115, "ioamChecksumComplement", "unsigned32", undefined, "default"],
  [116, "ioamHopLimitWide", "unsigned8", undefined, "quantity", "hops"],
  [117, "ioamBufferOccupancy", "unsigned32", undefined, "quantity"],
  [118, "ioamUndefinedData", "octetArray", undefined, "default"],
];

/** Every IOAM element, under the enterprise numbers given. */
export function ioamElements(numbers: Partial<EnterpriseNumbers> = {}): InformationElement[] {
  const { ioam, own } = { ...DEFAULT_ENTERPRISE_NUMBERS, ...numbers };
  const build =
    (enterprise: number) =>
    ([id, name, type, length, semantics, units]: Row): InformationElement => ({
      name,
      id,
      enterprise,
      type,
      length: length ?? NATURAL_LENGTH[type],
      semantics,
      units,
      status: "current",
      description: IOAM_DESCRIPTIONS[name]!,
    });
  return [...EXISTING.map(build(ioam)), ...OWN.map(build(own))];
}
