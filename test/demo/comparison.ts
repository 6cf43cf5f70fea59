// What was sent beside what somebody else's decoder read from the export.
import { tableLines } from "../../src/cli/table.ts";
import type { DecodedRecord } from "../lab/ipfixdump.ts";
import { type Circumstances, type ExpectedRecord, expectedRecord } from "./expected-record.ts";
import type { SentFlow } from "./flows.ts";
import { bold, green, red } from "./screen.ts";

/** A flow, the record that it ought to have, the one it has, and where they differ. */
export interface Compared {
  flow: SentFlow;
  expected: ExpectedRecord;
  decoded: DecodedRecord | undefined;
  differences: string[];
}

/** Fields that the table shows; the others are compared all the same. */
const SHOWN: Record<string, string> = {
  packetDeltaCount: "PACKETS",
  octetDeltaCount: "OCTETS",
  ioamLostPacketCount: "LOST",
  ioamReorderedPacketCount: "REORDERED",
  ioamDuplicatePacketCount: "DUPLICATES",
  ioamSequenceNumberHighest: "HIGHEST-SEQ",
};

/** Compares each flow with its record, field by field; a record of no flow is a difference too. */
export function compare(
  flows: readonly SentFlow[],
  records: readonly DecodedRecord[],
  around: Circumstances,
): { flows: Compared[]; stray: string[] } {
  const of = (flow: SentFlow) =>
    records.filter(({ fields }) => fields.ioamFlowId === String(flow.flowId));
  const known = flows.flatMap(of);
  return {
    flows: flows.map((flow) => compareFlow(flow, of(flow), expectedRecord(flow, around))),
    stray: records
      .filter((record) => !known.includes(record))
      .map(({ fields }) => `a record of flow id ${fields.ioamFlowId}, which nobody sent`),
  };
}

function compareFlow(flow: SentFlow, own: DecodedRecord[], expected: ExpectedRecord): Compared {
  const [decoded] = own;
  if (decoded === undefined) {
    return { flow, expected, decoded, differences: ["no record was decoded"] };
  }
  const differences = own.length === 1 ? [] : [`${own.length} records instead of one`];
  for (const name of new Set([...Object.keys(expected), ...Object.keys(decoded.fields)])) {
    const wanted = expected[name];
    const value = decoded.fields[name];
    if (value === undefined) differences.push(`${name} is missing`);
    else if (wanted === undefined)
      differences.push(`${name} is ${value}, but ought not to be there`);
    else if (typeof wanted === "function") {
      if (!wanted(value)) differences.push(`${name} is ${value}, outside of the time of sending`);
    } else if (wanted !== value) {
      differences.push(`${name} is ${value}, ${wanted} was sent`);
    }
  }
  return { flow, expected, decoded, differences };
}

interface Row {
  flow: string;
  kind: string;
  what: string;
  value: (name: string) => string;
}

/** Two lines a flow: what was sent, and below it what was decoded. */
export function* comparisonLines(compared: readonly Compared[]): Generator<string> {
  const rows = compared.flatMap(rowsOf);
  const lines = tableLines<Row>(
    [
      { title: "FLOW", cell: (row) => row.flow },
      { title: "KIND", cell: (row) => row.kind },
      { title: "", cell: (row) => row.what },
      ...Object.entries(SHOWN).map(([name, title]) => ({
        title,
        align: "right" as const,
        cell: (row: Row) => row.value(name),
      })),
    ],
    rows,
    { header: bold },
  );
  yield lines.next().value as string;
  let line = 0;
  for (const text of lines) {
    const agrees = compared[line >> 1]!.differences.length === 0;
    if (line % 2 === 0) yield text;
    else yield agrees ? `${text}  ${green("=")}` : `${text}  ${red("≠")}`;
    line++;
  }
}

function rowsOf({ flow, expected, decoded }: Compared): Row[] {
  const id = `0x${flow.flowId.toString(16)}`;
  return [
    { flow: id, kind: flow.kind, what: "sent", value: (name) => String(expected[name]) },
    { flow: "", kind: "", what: "decoded", value: (name) => decoded?.fields[name] ?? "-" },
  ];
}
