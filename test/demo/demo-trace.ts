// `make demo-trace`: traces through three nodes, the kernel's events exported, somebody else's decoder.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tableLines } from "../../src/cli/table.ts";
import { ianaElements, ioamElements } from "../../src/ipfix/index.ts";
import { type Collector, collector } from "../lab/collector.ts";
import { temporaryFolder } from "../lab/guard.ts";
import { type IpfixDumpResult, ipfixDump } from "../lab/ipfixdump.ts";
import type { Background } from "../lab/process.ts";
import { type RouterLab, router } from "../lab/router.ts";
import { station } from "../lab/station.ts";
import { startAgent, startMonitor, stopAgent } from "./operator.ts";
import { withoutOptions } from "./options-records.ts";
import { bold, command, dim, green, output, paragraph, red, say } from "./screen.ts";
import { begin, conclude } from "./steps.ts";
import {
  compareTraces,
  expectedTraces,
  type Passed,
  packetDifferences,
  type TraceComparison,
} from "./trace-comparison.ts";
import { ask, type NodeFacts, type NodePlan, setUp } from "./trace-nodes.ts";
import { nodesIn, ROUNDS, type SentTrace, tracePackets } from "./trace-packets.ts";

const ROUTER: NodePlan = {
  id: 42,
  idWide: "4200000000",
  devices: { in0: { id: 11, idWide: 100011 }, out0: { id: 12, idWide: 100012 } },
  enabled: "in0",
  data: "0xdecafbad",
  dataWide: "0xfeedfacecafebeef",
  schema: { id: 777, text: "snapshot-of-the-router!!" },
};
const SINK: NodePlan = {
  id: 43,
  idWide: "4300000000",
  devices: { snk0: { id: 21, idWide: 100021 } },
  enabled: "snk0",
  data: "0x5eed0001",
  dataWide: "0x1122334455667788",
  schema: { id: 778, text: "sink" },
};

async function topology(): Promise<RouterLab> {
  begin(
    "Topology",
    "Three network namespaces in a row, so that nothing here touches this machine's own network.",
  );
  const lab = await router({ gro: false });
  const names = [lab.source, lab.router, lab.sink].map(({ name }) => name);
  say("", `${names[0]} [src0] ──► [in0] ${names[1]} [out0] ──► [snk0] ${names[2]}`);
  return lab;
}

/** Sets both nodes up; what they then say of themselves. */
async function nodes(lab: RouterLab): Promise<{ router: NodeFacts; sink: NodeFacts }> {
  begin(
    "Nodes",
    "The kernel's own IOAM (RFC 9197), at the router and at the sink: ids and interfaces by " +
      "sysctl, the IOAM namespace, its data and a schema for opaque state snapshots by `ip ioam`.",
  );
  await setUp(lab.router, ROUTER);
  await setUp(lab.sink, SINK);
  begin("What the nodes say", "Asked with the same commands; the export is compared with this.");
  return {
    router: await ask(lab.router, Object.keys(ROUTER.devices)),
    sink: await ask(lab.sink, Object.keys(SINK.devices)),
  };
}

/** Starts the agent with a configuration of its own. */
async function startExport(
  lab: RouterLab,
  receiver: Collector,
  folder: string,
): Promise<Background> {
  begin(
    "Export",
    "The agent listens to the kernels' events in both network namespaces and sends a record for " +
      "each hop as IPFIX (RFC 7011) over UDP to a collector.",
  );
  const config = [
    `trace: { source: kernel, netns: [${lab.router.name}, ${lab.sink.name}] }`,
    "collectors:",
    `  - { address: "${receiver.target}" }`,
    "",
  ].join("\n");
  const file = join(folder, "agent.yaml");
  await writeFile(file, config);
  command(`cat ${file}`);
  output(config);
  return startAgent(["-c", file]);
}

/** Sends the packets and captures those that reach the sink. */
async function traffic(
  lab: RouterLab,
): Promise<Omit<Passed, "router" | "sink"> & { sent: SentTrace[] }> {
  begin(
    "Traffic",
    "Packets with a pre-allocated trace (RFC 9197, 9486) into which the source, as the first " +
      "node, has written; router and sink add what the trace type asks for.",
  );
  const from = Date.now();
  const sent = tracePackets(from);
  say("");
  const columns = [
    { title: "SOURCE'S NODE ID", cell: (one: SentTrace) => String(one.mark) },
    { title: "TRACE TYPE", cell: (one: SentTrace) => `0x${one.traceType.toString(16)}` },
    { title: "KIND", cell: (one: SentTrace) => one.name },
  ];
  say(...tableLines(columns, sent.slice(0, sent.length / ROUNDS), { header: bold }));
  await using source = station(lab.source);
  await using sink = station(lab.sink);
  const capture = await sink.capture("snk0");
  await source.send("src0", ...sent.map(({ frame }) => frame));
  const due = sent.filter(({ hopLimit }) => hopLimit > 1).length;
  const frames = await capture.take(due);
  const captured = new Map(
    frames.map((frame) => [Number(nodesIn(frame)[0]!.values.get(0)! & 0xffffffn), frame]),
  );
  say(
    "",
    `${sent.length} packets sent, ${ROUNDS} of each kind; ${captured.size} reached the sink.`,
  );
  return { sent, captured, from, to: Date.now() };
}

/** Waits for the events, and shows those of the first packets. */
async function watch(monitor: Background, sent: readonly SentTrace[]): Promise<void> {
  begin(
    "Watch",
    "What the monitor has printed meanwhile: for each packet that came in at the sink the data " +
      "of the nodes along its path.",
  );
  const arrived = sent.filter(({ hopLimit }) => hopLimit > 1).length;
  await monitor.until(new RegExp(`(^|\\n)(trace [^]*?\\n){${arrived}}`));
  const { code, stdout, stderr } = await monitor.stop("SIGINT");
  if (code !== 0) throw new Error(`the monitor ended with exit status ${code}: ${stderr}`);
  const events = stdout.split(/^(?=trace )/m);
  const shown = events.length / ROUNDS;
  say("", ...events.slice(0, shown).join("").trimEnd().split("\n"));
  say(dim(`(${events.length - shown} events of the other rounds are left out here)`));
}

/** Elements of RFC 9951, which is younger than the decoder. */
const PATH_DELAY = ianaElements().filter(({ name }) => /^pathDelay/.test(name));

/** Ends the agent; has somebody else's decoder read what came. */
async function decode(agent: Background, receiver: Collector): Promise<IpfixDumpResult> {
  begin("End", "Ended by SIGTERM the agent exports what there is.");
  await stopAgent(agent);
  const { datagrams, longest, file } = await receiver.sender();
  say("", `The collector got ${datagrams} IPFIX messages, the longest of ${longest} octets.`);
  begin(
    "Decode and compare",
    "ipfixDump, of CERT's libfixbuf, reads what the collector got: of ioamctl it knows nothing " +
      "but the names and types of elements. In the table the first packet of each kind.",
  );
  return withoutOptions(await ipfixDump(file, { elements: [...ioamElements(), ...PATH_DELAY] }));
}

const SHOWN: Record<string, string> = {
  ioamHopLimit: "HOPLIM",
  ioamNodeId: "NODE",
  ioamIngressInterfaceId: "IN",
  ioamEgressInterfaceId: "OUT",
  ioamTimestampFraction: "µs",
  ioamNamespaceData: "DATA",
  ioamQueueDepth: "QUEUE",
  ioamNodeIdWide: "WIDE-NODE",
  ioamSnapshotSchemaId: "SCHEMA",
};
const NOT_AVAILABLE = new Set(
  [8, 16, 24, 32, 56, 64].map((bits) => String((1n << BigInt(bits)) - 1n)),
);

interface Row {
  packet: string;
  what: string;
  value: (element: string) => string;
  ends: string;
}

function rowsOf({ expected, decoded, differences }: TraceComparison): Row[] {
  const { sent, hops } = expected;
  const text = (value: string | undefined) =>
    value === undefined ? "-" : NOT_AVAILABLE.has(value) ? "n/a" : value;
  return hops.flatMap((fields, hop) => [
    {
      packet: hop === 0 ? String(sent.mark) : "",
      what: `hop ${hop} said`,
      value: (element: string) => {
        const value = fields[element];
        return typeof value === "function" ? "now" : text(value);
      },
      ends: "",
    },
    {
      packet: "",
      what: "decoded",
      value: (element: string) => text(decoded[hop]?.fields[element]),
      ends: differences.length === 0 ? green("=") : red("≠"),
    },
  ]);
}

/** Prints both side by side; what differs, nothing if they agree. */
function sideBySide(sent: SentTrace[], dump: IpfixDumpResult, around: Passed): string[] {
  const expected = expectedTraces(sent, around);
  const { traces, stray } = compareTraces(expected, dump.records);
  const first = sent.slice(0, sent.length / ROUNDS);
  const last = first.map((one) => traces.findLast(({ expected }) => expected.sent === one)!);
  say("");
  say(
    ...tableLines<Row>(
      [
        { title: "PACKET", cell: (row) => row.packet },
        { title: "", cell: (row) => row.what },
        ...Object.entries(SHOWN).map(([element, title]) => ({
          title,
          align: "right" as const,
          cell: (row: Row) => row.value(element),
        })),
        { title: "", cell: (row) => row.ends },
      ],
      last.flatMap(rowsOf),
      { header: bold },
    ),
    "",
  );
  const fields = dump.records.reduce((sum, { fields }) => sum + Object.keys(fields).length, 0);
  paragraph(
    `Compared: ${fields} fields of ${dump.records.length} records, those of every packet at ` +
      "router and sink, and path delays (RFC 9951); and the packets captured before the sink with " +
      "the router's settings.",
  );
  return [
    ...packetDifferences(sent, around),
    ...traces.flatMap(({ differences }) => differences),
    ...stray,
    ...dump.warnings.map((text) => `ipfixDump: ${text}`),
  ];
}

let compared = "";

/** What differs between what nodes and packets say and what was decoded. */
async function demo(): Promise<string[]> {
  await using lab = await topology();
  await using receiver = await collector({ address: "127.0.0.1" });
  const folder = await temporaryFolder("demo-trace");
  try {
    const facts = await nodes(lab);
    await using agent = await startExport(lab, receiver, folder.path);
    begin("Monitor", "Beside it, the events of the sink as they come, readable.");
    await using monitor = await startMonitor(["--netns", lab.sink.name]);
    const { sent, ...passage } = await traffic(lab);
    await watch(monitor, sent);
    const dump = await decode(agent, receiver);
    // Events are observed a little after the packets have arrived.
    const differences = sideBySide(sent, dump, { ...facts, ...passage, to: Date.now() });
    compared = `${sent.length} packets, ${dump.records.length} records`;
    begin("Clean up", "The network namespaces go, and with them all that was set.");
    return differences;
  } finally {
    await folder.remove();
  }
}

await conclude("demo-trace", "what the nodes say and what was decoded", () => compared, demo);
