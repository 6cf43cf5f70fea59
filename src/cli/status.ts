// ioamctl status: what is attached, how full the tables are, what was counted, who exports, IOAM nodes.

import type { Command } from "commander";
import { type RunningAgent, runningAgent } from "../agent/metering/agent-lock.ts";
import { readCollectors } from "../agent/sinks/collector-ledger.ts";
import type { CollectorStatus } from "../agent/sinks/exporter.ts";
import {
  newTraceCounters,
  readTraceLedgers,
  type TraceLedger,
} from "../agent/trace/trace-ledger.ts";
import { counted } from "../counted.ts";
import { type Attachment, Meter } from "../meter/index.ts";
import { capacityHint } from "./capacity.ts";
import { collectorLines } from "./collector-status.ts";
import { toIndentedJson } from "./json.ts";
import { createLogger } from "./log.ts";
import { type NodeStatus, nodeLines, readNodes } from "./node-status.ts";
import { type CommonOptions, jsonOption, logLevelOption } from "./options.ts";
import { isTerminal, print } from "./output.ts";
import { requirePrivileges } from "./privilege.ts";
import { tableLines } from "./table.ts";

/** The document of `status --json`. */
export interface Status {
  attachments: Attachment[];
  tables: {
    netns: string | null;
    flows: number;
    packets: bigint;
    octets: bigint;
    maxFlows: number;
    memoryOctets: number;
  }[];
  counters: Record<string, bigint>;
  /** The first of `agents`. */
  agent: RunningAgent | null;
  /** Those that export from here or another network namespace, each once. */
  agents: RunningAgent[];
  /** What the agents' collectors and files have taken. */
  collectors: CollectorStatus[];
  /** Network namespaces whose kernel IOAM events are exported. */
  traces: { netns: string | null; pid: number | null }[];
  /** How the kernel's own IOAM is set up: here, and where something is metered or exported. */
  nodes: NodeStatus[];
}

/** Counters that are there also when nothing is attached: scripts rely on these names. */
const COUNTERS = [
  "packets",
  "ioamPackets",
  "dexPackets",
  "dexOctets",
  "dexMalformed",
  "namespaceFiltered",
  "collectorPackets",
  "tableFull",
  "ringDropped",
  "postcards",
  "postcardsSuppressed",
  ...Object.keys(newTraceCounters()),
];

const EXAMPLES = `
Counters are sums over all network namespaces that have a table, or an agent that exports the
kernel's IOAM events. Nodes are how the kernel's own IOAM is set up, with \`ip ioam\` and sysctl.

Examples:
  ioamctl status
  ioamctl status --json | jq .counters.dexPackets`;

export function addStatus(program: Command): void {
  program
    .command("status")
    .description("show attachments, tables, counters, the agent and IOAM nodes")
    .addOption(jsonOption())
    .addOption(logLevelOption())
    .addHelpText("after", EXAMPLES)
    .action(status);
}

async function status(options: CommonOptions & { json?: true }): Promise<void> {
  requirePrivileges();
  const log = createLogger(options.logLevel);
  const meters = Meter.list();
  try {
    log.debug({ meters: meters.length }, "status");
    const ledgers = readTraceLedgers();
    const nodes = readNodes(
      [...meters, ...ledgers].map(({ netns }) => netns),
      log,
    );
    const document = { ...statusOf(meters, ledgers), nodes };
    const hints = meters.map(capacityHint).filter((hint) => hint !== undefined);
    if (options.json) {
      await print([toIndentedJson(document)]);
      for (const hint of hints) process.stderr.write(`ioamctl status: ${hint}\n`);
    } else {
      await print(statusLines(document, hints));
    }
  } finally {
    for (const meter of meters) meter.close();
  }
}

/** What `status --json` says of these meters and events, without any node. */
export function statusOf(meters: readonly Meter[], ledgers: readonly TraceLedger[] = []): Status {
  const counters: Record<string, bigint> = Object.fromEntries(COUNTERS.map((name) => [name, 0n]));
  for (const meter of meters) {
    for (const [name, value] of Object.entries(meter.counters())) {
      counters[name] = (counters[name] ?? 0n) + value;
    }
  }
  for (const ledger of ledgers) {
    for (const [name, value] of Object.entries(ledger.counters)) {
      counters[name] = (counters[name] ?? 0n) + BigInt(value);
    }
  }
  const running = [
    ...meters.map((meter) => runningAgent(meter.netnsInode)),
    ...ledgers.map(({ pid }): RunningAgent | undefined =>
      pid === undefined ? undefined : { pid, state: "running" },
    ),
  ].filter((agent) => agent !== undefined);
  const agents = running.filter(
    ({ pid }, i) => running.findIndex((agent) => agent.pid === pid) === i,
  );
  return {
    attachments: meters.flatMap((meter) => meter.attachments().sort(byPlace)),
    tables: meters.map((meter) => ({
      netns: meter.netns,
      ...meter.contents(),
      maxFlows: meter.maxFlows,
      memoryOctets: meter.memoryOctets,
    })),
    counters,
    agent: agents[0] ?? null,
    agents,
    collectors: agents.flatMap(({ pid }) => readCollectors(pid)),
    traces: ledgers.map(({ netns, pid }) => ({ netns, pid: pid ?? null })),
    nodes: [],
  };
}

function byPlace(a: Attachment, b: Attachment): number {
  return a.ifindex - b.ifindex || b.direction.localeCompare(a.direction);
}

/** The same for people. */
export function* statusLines(status: Status, hints: readonly string[]): Generator<string> {
  const style = isTerminal() ? { header: (line: string) => `\x1b[1m${line}\x1b[22m` } : {};
  if (status.attachments.length === 0) {
    yield "Nothing is attached: `ioamctl attach -n IFACE` begins to meter.";
  } else {
    yield* tableLines<Attachment>(
      [
        { title: "NETNS", cell: (a) => a.netns ?? "-" },
        { title: "IFACE", cell: (a) => a.interfaceName },
        { title: "IFINDEX", align: "right", cell: (a) => String(a.ifindex) },
        { title: "DIRECTION", cell: (a) => a.direction },
        { title: "HOOK", cell: (a) => a.hook },
        { title: "PROGRAM", align: "right", cell: (a) => String(a.programId) },
      ],
      status.attachments,
      style,
    );
  }
  if (status.tables.length > 0) {
    yield "";
    yield* tableLines<Status["tables"][number]>(
      [
        { title: "TABLE OF NETNS", cell: (t) => t.netns ?? "-" },
        { title: "FLOWS", align: "right", cell: (t) => String(t.flows) },
        { title: "MAX-FLOWS", align: "right", cell: (t) => String(t.maxFlows) },
        { title: "USED", align: "right", cell: (t) => `${percent(t.flows, t.maxFlows)} %` },
        { title: "MEMORY", align: "right", cell: (t) => `${mebibytes(t.memoryOctets)} MiB` },
      ],
      status.tables,
      style,
    );
    yield* hints;
  }
  if (status.tables.length > 0 || status.traces.length > 0) {
    yield "";
    yield* tableLines<[string, bigint]>(
      [
        { title: "COUNTER", cell: ([name]) => name },
        { title: "VALUE", align: "right", cell: ([, value]) => String(value) },
      ],
      Object.entries(status.counters),
      style,
    );
  }
  if (status.tables.length > 0) yield* ["", whereabouts(status)];
  if (status.traces.length > 0) yield* ["", eventWhereabouts(status)];
  yield* collectorLines(status.collectors, style);
  yield* nodeLines(status.nodes, style);
  yield "";
  if (status.agents.length === 0) yield "No agent runs: nothing is exported.";
  for (const { pid, state } of status.agents) yield `Agent: pid ${pid}, ${state}.`;
}

/** The conservation law (docs/counters.md) with its numbers. */
function whereabouts({ counters: c, tables }: Status): string {
  const held = tables.reduce((sum, table) => sum + table.packets, 0n);
  return (
    `${counted(c.dexPackets!, "DEX packet")}: ${c.exportedPackets ?? 0n} exported, ${held} in the table, ` +
    `${c.flushedPackets ?? 0n} flushed, ${c.dexMalformed} malformed, ` +
    `${c.namespaceFiltered} filtered, ${c.collectorPackets} to collectors, ` +
    `${c.tableFull} table full, ${c.droppedPackets ?? 0n} dropped.`
  );
}

/** The same of the kernel's events. */
function eventWhereabouts({ counters: c, traces }: Status): string {
  const where = traces.map(({ netns }) => (netns === null ? "here" : `of netns ${netns}`));
  return (
    `Kernel events ${where.join(", ")}: ${c.netlinkEvents} received, ${c.netlinkDrops} dropped, ` +
    `${c.netlinkMalformed} malformed; ${counted(c.traceRecords!, "record")} of them: ` +
    `${c.exportedTraceRecords} exported, ${c.droppedTraceRecords} dropped.`
  );
}

function percent(part: number, whole: number): number {
  return Math.floor((100 * part) / whole);
}

function mebibytes(octets: number): number {
  return Math.ceil(octets / 2 ** 20);
}
