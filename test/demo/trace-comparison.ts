// Every record that the trace demo's packets ought to be exported as, and how the decoded ones differ.

import { exportedHop } from "../lab/exported-node.ts";
import { bitsOf, type NodeModel, nodeOctets } from "../lab/ioam-node.ts";
import type { DecodedRecord } from "../lab/ipfixdump.ts";
import { hex } from "../lab/octets.ts";
import { NAMESPACE, type NodeFacts } from "./trace-nodes.ts";
import { nodesIn, type SentTrace } from "./trace-packets.ts";

/** Values by element name; a function says whether a value will do. */
type Fields = Record<string, string | ((value: string) => boolean)>;

/** A trace as a node's kernel ought to have told it: the record of each hop, then of the delay. */
export interface ExpectedTrace {
  sent: SentTrace;
  seenBy: "router" | "sink";
  hops: Fields[];
}

export interface TraceComparison {
  expected: ExpectedTrace;
  /** Records of the hops, along the path. */
  decoded: DecodedRecord[];
  differences: string[];
}

/** What is known of the path, and of when the packets passed. */
export interface Passed {
  router: NodeFacts;
  sink: NodeFacts;
  /** Frames at the sink, by the source's mark, before the sink has written into them. */
  captured: ReadonlyMap<number, Uint8Array>;
  /** Unix milliseconds: before the first packet and after the last. */
  from: number;
  to: number;
}

/** A node by its own settings; undefined bits are all ones, as Linux writes them. */
function nodeOf(
  facts: NodeFacts,
  devices: [string, string | undefined],
  hopLimit: number,
): NodeModel {
  const [ingress, egress] = devices.map((name) => facts.devices[name ?? ""]);
  const values = new Map<number, bigint>();
  for (let bit = 2; bit < 22; bit++) values.set(bit, 0xffffffffn);
  const hops = BigInt(hopLimit - 1);
  values.set(0, (hops << 24n) | facts.id);
  values.set(1, (ingress!.id << 16n) | (egress?.id ?? 0xffffn));
  values.set(5, facts.data);
  // Of a device without a queue; a packet that goes nowhere has none.
  values.set(6, egress === undefined ? 0xffffffffn : 0n);
  values.set(8, (hops << 56n) | facts.idWide);
  values.set(9, (ingress!.idWide << 32n) | (egress?.idWide ?? 0xffffffffn));
  values.set(10, facts.dataWide);
  return { values, snapshot: { schema: facts.schema.id, data: facts.schema.data } };
}

function expectedHop(
  { traceType }: SentTrace,
  nodes: readonly NodeModel[],
  hop: number,
  around: Passed,
): Fields {
  const during = (value: string) => {
    const time = Date.parse(`${value.replace(" ", "T")}Z`);
    return time >= around.from && time <= around.to;
  };
  return {
    observationTimeMilliseconds: during,
    ioamTraceId: () => true,
    ...exportedHop({ namespace: NAMESPACE, traceType, nodes, hop }),
  };
}

/** The time of a node that only its own record has: within the time of sending. */
function timed(fields: Fields, { traceType }: SentTrace, { from, to }: Passed): Fields {
  if (bitsOf(traceType).includes(2)) {
    fields.ioamTimestampSeconds = (value) =>
      Number(value) >= Math.floor(from / 1000) && Number(value) <= to / 1000;
  }
  if (bitsOf(traceType).includes(3)) fields.ioamTimestampFraction = (value) => Number(value) < 1e6;
  return fields;
}

/** What each packet ought to be told as by the kernels of router and sink. */
export function expectedTraces(sent: readonly SentTrace[], around: Passed): ExpectedTrace[] {
  return sent.flatMap((one) => {
    const source = one.trace.nodes[0]!;
    const captured = around.captured.get(one.mark);
    const make = (seenBy: "router" | "sink", nodes: NodeModel[], isLastTimed: boolean) => {
      const hops = nodes.map((_, hop) => expectedHop(one, nodes, hop, around));
      if (isLastTimed) timed(hops.at(-1)!, one, around);
      return { sent: one, seenBy, hops };
    };
    if (!one.room) return [make("router", [source], false), make("sink", [source], false)];
    const router = nodeOf(around.router, ["in0", "out0"], one.hopLimit);
    if (captured === undefined) return [make("router", [source, router], true)];
    // The packet says when the router wrote into it; all else the router's settings say.
    for (const bit of [2, 3]) {
      const value = nodesIn(captured)[1]?.values.get(bit);
      if (value !== undefined) router.values.set(bit, value);
    }
    const sink = nodeOf(around.sink, ["snk0", undefined], one.hopLimit - 1);
    return [make("router", [source, router], false), make("sink", [source, router, sink], true)];
  });
}

/** What settings and packets do not agree in themselves: the router's data in what came out of it. */
export function packetDifferences(sent: readonly SentTrace[], around: Passed): string[] {
  return sent.flatMap((one) => {
    const captured = around.captured.get(one.mark);
    if (captured === undefined) return one.hopLimit > 1 ? [`${name(one)}: it did not arrive`] : [];
    const nodes = one.room
      ? [one.trace.nodes[0]!, nodeOf(around.router, ["in0", "out0"], one.hopLimit)]
      : [one.trace.nodes[0]!];
    const found = nodesIn(captured);
    for (const bit of [2, 3]) {
      const value = found[1]?.values.get(bit);
      if (value !== undefined) nodes[1]!.values.set(bit, value);
    }
    const octets = (all: NodeModel[]) =>
      all.map((node) => hex(nodeOctets(one.traceType, node))).join(" ");
    return octets(found) === octets(nodes)
      ? []
      : [`${name(one)}: the packet says ${octets(found)}, the settings ${octets(nodes)}`];
  });
}

export function name({ mark, name }: SentTrace): string {
  return `packet ${mark} (${name})`;
}

/** Finds the records of each trace and compares them, field by field; what belongs to none is stray. */
export function compareTraces(
  expected: readonly ExpectedTrace[],
  records: readonly DecodedRecord[],
): { traces: TraceComparison[]; stray: string[] } {
  const byId = new Map<string, DecodedRecord[]>();
  for (const record of records) {
    const id = record.fields.ioamTraceId ?? "none";
    byId.set(id, [...(byId.get(id) ?? []), record]);
  }
  const left = new Set(byId.keys());
  const traces = expected.map((trace) => {
    const id = [...left].find((one) => isOf(trace, byId.get(one)!));
    if (id !== undefined) left.delete(id);
    return compareTrace(trace, id === undefined ? [] : byId.get(id)!);
  });
  const stray = [...left].map(
    (id) => `trace ${id}, of ${byId.get(id)!.length} records: nobody sent it`,
  );
  return { traces, stray };
}

/** Whether records are those of that packet's trace, with as many hops. */
function isOf({ sent, hops }: ExpectedTrace, records: DecodedRecord[]): boolean {
  return records.some(
    ({ fields }) =>
      fields.ioamHopIndex === "0" &&
      fields.ioamNodeId === String(sent.mark) &&
      fields.ioamHopCount === String(hops.length),
  );
}

function compareTrace(expected: ExpectedTrace, records: DecodedRecord[]): TraceComparison {
  const { sent, hops, seenBy } = expected;
  const isHop = ({ fields }: DecodedRecord) => fields.ioamHopIndex !== undefined;
  const decoded = records
    .filter(isHop)
    .sort((a, b) => Number(a.fields.ioamHopIndex) - Number(b.fields.ioamHopIndex));
  const where = `${name(sent)} at the ${seenBy}`;
  const differences =
    decoded.length === hops.length
      ? hops.flatMap((fields, hop) => compareFields(`${where}, hop ${hop}`, fields, decoded[hop]!))
      : [`${where}: ${decoded.length} records of hops instead of ${hops.length}`];
  const delays = records.filter((record) => !isHop(record));
  differences.push(...compareDelay(where, expected, decoded, delays));
  return { expected, decoded, differences };
}

function compareFields(where: string, wanted: Fields, { fields }: DecodedRecord): string[] {
  return [...new Set([...Object.keys(wanted), ...Object.keys(fields)])].flatMap((element) => {
    const [want, value] = [wanted[element], fields[element]];
    if (value === undefined) return [`${where}: ${element} is missing`];
    if (want === undefined) return [`${where}: ${element} is ${value}, but ought not to be there`];
    if (typeof want === "function") {
      return want(value) ? [] : [`${where}: ${element} is ${value}, which it cannot be`];
    }
    return want === value ? [] : [`${where}: ${element} is ${value} instead of ${want}`];
  });
}

/** One record of the delay (RFC 9951) if there are two times in the trace, from the first to the last. */
function compareDelay(
  where: string,
  { sent, hops }: ExpectedTrace,
  decoded: DecodedRecord[],
  delays: DecodedRecord[],
): string[] {
  const hasDelay = hops.length > 1 && [2, 3].every((bit) => bitsOf(sent.traceType).includes(bit));
  if (delays.length !== (hasDelay ? 1 : 0))
    return [`${where}: ${delays.length} records of a delay`];
  if (!hasDelay || decoded.length === 0) return [];
  const time = ({ fields }: DecodedRecord) =>
    Number(fields.ioamTimestampSeconds) * 1e6 + Number(fields.ioamTimestampFraction);
  const delay = String(time(decoded.at(-1)!) - time(decoded[0]!));
  return ["Mean", "Min", "Max", "Sum"].flatMap((which) => {
    const value = delays[0]!.fields[`pathDelay${which}DeltaMicroseconds`];
    return value === delay ? [] : [`${where}: path delay ${which} is ${value} instead of ${delay}`];
  });
}
