// The templates of traces: which elements a hop and a path delay can be exported as.
import {
  type ElementRegistry,
  type FieldSource,
  type Template,
  VARIABLE_LENGTH,
} from "../../ipfix/index.ts";
import {
  type GroupName,
  type OfferedElement,
  type OfferedField,
  type RecordGroup,
  recordGroup,
  type TemplateConfig,
  templatesOf,
} from "../templates/record-group.ts";

type Row = readonly [element: string, field: string];

const OBSERVATION: readonly Row[] = [
  ["observationTimeMilliseconds", "time"],
  ["ioamTraceId", "traceId"],
  ["ioamNamespaceId", "namespaceId"],
  ["ioamTraceType", "traceType"],
  ["ioamHopCount", "hopCount"],
];

const HOP: readonly Row[] = [["ioamHopIndex", "hopIndex"]];

const DEX: readonly Row[] = [
  ["ioamFlowId", "flowId"],
  ["ioamSequenceNumber", "sequenceNumber"],
  ["ioamExtensionFlags", "extensionFlags"],
];

/** Of the node's data, which is in network order. */
const NODE: readonly Row[] = [
  ["ioamHopLimit", "hopLimit"],
  ["ioamNodeId", "nodeId"],
  ["ioamIngressInterfaceId", "ingressInterface"],
  ["ioamEgressInterfaceId", "egressInterface"],
  ["ioamTimestampSeconds", "timestampSeconds"],
  ["ioamTimestampFraction", "timestampFraction"],
  ["ioamTransitDelay", "transitDelay"],
  ["ioamNamespaceData", "namespaceData"],
  ["ioamQueueDepth", "queueDepth"],
  ["ioamChecksumComplement", "checksumComplement"],
  ["ioamHopLimitWide", "hopLimitWide"],
  ["ioamNodeIdWide", "nodeIdWide"],
  ["ioamIngressInterfaceIdWide", "ingressInterfaceWide"],
  ["ioamEgressInterfaceIdWide", "egressInterfaceWide"],
  ["ioamNamespaceDataWide", "namespaceDataWide"],
  ["ioamBufferOccupancy", "bufferOccupancy"],
];

/** Octets of the data of bits 12 to 21. */
const UNDEFINED_OCTETS = 40;

/** Of the records with data of bits 12 to 22. */
const LONG: readonly OfferedField[] = [
  {
    name: "ioamUndefinedData",
    length: UNDEFINED_OCTETS,
    source: { kind: "octets", field: "undefined" },
  },
  { name: "ioamSnapshotSchemaId", source: { kind: "network", field: "schemaId" } },
  {
    name: "ioamSnapshotData",
    length: VARIABLE_LENGTH,
    source: { kind: "tail", field: "snapshot", length: "snapshotLength" },
  },
];

/** One trace is one packet: mean, lowest, highest and sum are its delay. */
const DELAY: readonly Row[] = ["Mean", "Min", "Max", "Sum"].map((which) => [
  `pathDelay${which}DeltaMicroseconds`,
  "pathDelay",
]);

/** Names of trace groups, in the order of their templates. */
type TraceGroupName = Exclude<GroupName, "flow">;

/**
 * By name: hops of a pre-allocated trace, DEX events, path delays. Of the first two there are records
 * with data of the bits 12 to 22, and without. All as TRACE_LAYOUT has them.
 */
export const TRACE_GROUPS: Readonly<Record<TraceGroupName, RecordGroup>> = {
  hop: hopGroup("hop", 259, []),
  dex: hopGroup("dex", 261, DEX),
  pathDelay: recordGroup(
    "pathDelay",
    263,
    ["of a path delay"],
    [...rows("unsigned", OBSERVATION, 1), ...rows("unsigned", DELAY, 1)],
  ),
};

/** The templates in the order of TRACE_KIND. */
export function traceTemplates(
  registry: ElementRegistry,
  configs?: Readonly<Record<TraceGroupName, TemplateConfig>>,
): Template[] {
  return Object.entries(TRACE_GROUPS).flatMap(([name, group]) =>
    templatesOf(group, registry, configs?.[name as TraceGroupName] ?? group.defaults),
  );
}

function hopGroup(name: "hop" | "dex", firstId: number, own: readonly Row[]): RecordGroup {
  return recordGroup(
    name,
    firstId,
    ["without data of the bits 12 to 22", "with such data"],
    [
      ...rows("unsigned", [...OBSERVATION, ...HOP, ...own], 2),
      ...rows("network", NODE, 2),
      ...LONG.map((field) => ({ name: field.name, fields: [undefined, field] })),
    ],
  );
}

/** Elements that all of so many kinds have. */
function rows(kind: "unsigned" | "network", of: readonly Row[], kinds: number): OfferedElement[] {
  return of.map(([name, field]) => {
    const source: FieldSource = { kind, field };
    return { name, fields: new Array<OfferedField>(kinds).fill({ name, source }) };
  });
}
