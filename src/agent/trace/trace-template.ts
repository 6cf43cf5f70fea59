// The templates of traces: which elements a hop and a path delay are exported as.
import {
  type ElementRegistry,
  type FieldSource,
  Template,
  type TemplateField,
  VARIABLE_LENGTH,
} from "../../ipfix/index.ts";

/** Of the first of the templates; the others follow it. */
const FIRST_ID = 259;

type Row = readonly [element: string, field: string];

const OBSERVATION: readonly Row[] = [
  ["observationTimeMilliseconds", "time"],
  ["ioamTraceId", "traceId"],
  ["ioamNamespaceId", "namespaceId"],
  ["ioamTraceType", "traceType"],
  ["ioamHopCount", "hopCount"],
];

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

/** One trace is one packet: mean, lowest, highest and sum are its delay. */
const DELAY: readonly Row[] = ["Mean", "Min", "Max", "Sum"].map((which) => [
  `pathDelay${which}DeltaMicroseconds`,
  "pathDelay",
]);

/** The templates in the order of TRACE_KIND, of records as TRACE_LAYOUT has them. */
export function traceTemplates(registry: ElementRegistry): Template[] {
  const native = rows(registry, "unsigned");
  const network = rows(registry, "octets");
  const hop = [...native(OBSERVATION), ...native([["ioamHopIndex", "hopIndex"]])];
  const node = network(NODE);
  const long: TemplateField[] = [
    {
      element: registry.get("ioamUndefinedData"),
      length: UNDEFINED_OCTETS,
      source: { kind: "octets", field: "undefined" },
    },
    ...network([["ioamSnapshotSchemaId", "schemaId"]]),
    {
      element: registry.get("ioamSnapshotData"),
      length: VARIABLE_LENGTH,
      source: { kind: "tail", field: "snapshot", length: "snapshotLength" },
    },
  ];
  const dex = native(DEX);
  return [
    [...hop, ...node],
    [...hop, ...node, ...long],
    [...hop, ...dex, ...node],
    [...hop, ...dex, ...node, ...long],
    [...native(OBSERVATION), ...native(DELAY)],
  ].map((fields, kind) => new Template(FIRST_ID + kind, fields));
}

function rows(
  registry: ElementRegistry,
  kind: "unsigned" | "octets",
): (rows: readonly Row[]) => TemplateField[] {
  const source = (field: string): FieldSource => ({ kind, field });
  return (all) =>
    all.map(([name, field]) => ({ element: registry.get(name), source: source(field) }));
}
