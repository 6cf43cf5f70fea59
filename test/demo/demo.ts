// `make demo`: traffic through a router, the meter, the export, and somebody else's decoder.
import { tableLines } from "../../src/cli/table.ts";
import { ioamElements } from "../../src/ipfix/index.ts";
import { type Collector, collector, type Sender } from "../lab/collector.ts";
import { type IpfixDumpResult, ipfixDump } from "../lab/ipfixdump.ts";
import { type RouterLab, router } from "../lab/router.ts";
import { compare, comparisonLines } from "./comparison.ts";
import type { Circumstances } from "./expected-record.ts";
import { demoFlows, type SentFlow } from "./flows.ts";
import { ioamctl, quietly, startAgent, stopAgent } from "./operator.ts";
import { withoutOptions } from "./options-records.ts";
import { bold, dim, paragraph, say } from "./screen.ts";
import { begin, conclude } from "./steps.ts";
import { sendThrough } from "./traffic.ts";

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

async function attach(lab: RouterLab): Promise<void> {
  begin(
    "Attach",
    "Puts the meter where packets enter the router. It stays when the command has ended, and " +
      "neither drops nor alters a packet.",
  );
  await ioamctl(["attach", "-n", "in0", "--netns", lab.router.name]);
}

/** What was sent and what was there to be metered; throws if the network lost something. */
async function traffic(lab: RouterLab, flows: readonly SentFlow[]): Promise<Circumstances> {
  begin(
    "Traffic",
    "Flows whose packets carry an IOAM Direct Exporting option (RFC 9326) with a sequence " +
      "number; in some of them something is planted for the meter to find.",
  );
  say("");
  const columns = [
    { title: "FLOW", cell: (flow: SentFlow) => `0x${flow.flowId.toString(16)}` },
    { title: "KIND", cell: (flow: SentFlow) => flow.kind },
    { title: "PACKETS", align: "right" as const, cell: (flow: SentFlow) => String(flow.packets) },
    { title: "PLANTED (by sequence number)", cell: (flow: SentFlow) => flow.planted },
  ];
  say(...tableLines(columns, flows, { header: bold }));
  const [link] = await lab.router.ipJson<{ ifindex: number }[]>("link", "show", "in0");
  const from = Date.now();
  const { sent, arrived } = await sendThrough(lab, flows);
  if (arrived !== sent) throw new Error(`of ${sent} packets ${arrived} came through as they were`);
  say("", `${sent} packets sent; the sink got each of them, unaltered but for the hop limit.`);
  return { interfaceIndex: link!.ifindex, from, to: Date.now() };
}

async function look(lab: RouterLab): Promise<void> {
  begin(
    "Look",
    "What is attached, and what the flow table in the kernel holds; looking changes nothing.",
  );
  await ioamctl(["status"], withoutZeros);
  await ioamctl(["dump", "--netns", lab.router.name, "--sort", "flow-id"]);
}

/** Of the counters only those that counted something. */
function withoutZeros(text: string): string {
  const lines = text.split("\n");
  const kept = lines.filter((line) => !/^[a-z]\w+ +0$/i.test(line));
  const end = kept.findIndex(
    (line, i) => line === "" && /^[a-z]\w+ +\d+$/i.test(kept[i - 1] ?? ""),
  );
  const left = lines.length - kept.length;
  kept.splice(end, 0, dim(`(${left} counters that are 0 are left out here)`));
  return kept.join("\n");
}

/** Exports to a collector. */
async function exportTo(receiver: Collector, lab: RouterLab): Promise<Sender> {
  begin(
    "Export",
    "The agent takes over what is attached and sends the flows as IPFIX (RFC 7011) over UDP to a " +
      "collector, every 10 s. Ended by SIGTERM it exports what there is.",
  );
  const { name } = lab.router;
  const agent = await startAgent(["-n", "in0", "--netns", name, "--collector", receiver.target]);
  await stopAgent(agent);
  const sender = await receiver.sender();
  const { datagrams, longest } = sender;
  say("", `The collector got ${datagrams} IPFIX messages, the longest of ${longest} octets.`);
  return sender;
}

/** Has somebody else's decoder read it. */
async function decode({ file }: Sender): Promise<IpfixDumpResult> {
  begin(
    "Decode and compare",
    "ipfixDump, of CERT's libfixbuf, reads what the collector got: of ioamctl it knows nothing " +
      "but the names and types of the IOAM elements.",
  );
  return withoutOptions(await ipfixDump(file, { elements: ioamElements() }));
}

/** Prints both side by side; what differs, nothing if they agree. */
function sideBySide(
  flows: readonly SentFlow[],
  dump: IpfixDumpResult,
  around: Circumstances,
): string[] {
  const compared = compare(flows, dump.records, around);
  say("", ...comparisonLines(compared.flows), "");
  const fields = dump.records.reduce((sum, { fields }) => sum + Object.keys(fields).length, 0);
  paragraph(
    `Compared: ${fields} fields of ${dump.records.length} records; beside those above addresses, ` +
      "ports, protocol, flow label, traffic class, hop limits, interface, times, IOAM namespace " +
      "and trace type.",
  );
  return [
    ...compared.flows.flatMap(({ flow, differences }) =>
      differences.map((text) => `flow 0x${flow.flowId.toString(16)}: ${text}`),
    ),
    ...compared.stray,
    ...dump.warnings.map((text) => `ipfixDump: ${text}`),
  ];
}

async function cleanUp(lab: RouterLab): Promise<void> {
  begin("Clean up", "Detaches and removes the table; then the namespaces go.");
  await ioamctl(["detach", "-n", "in0", "--netns", lab.router.name]);
}

/** What differs between what was sent and what was decoded. */
async function demo(flows: readonly SentFlow[]): Promise<string[]> {
  await using lab = await topology();
  await using receiver = await collector({ address: "127.0.0.1" });
  let cleaned = false;
  try {
    await attach(lab);
    const around = await traffic(lab, flows);
    await look(lab);
    const exported = await exportTo(receiver, lab);
    const differences = sideBySide(flows, await decode(exported), around);
    await cleanUp(lab);
    cleaned = true;
    return differences;
  } finally {
    // Its pins would outlive the namespace.
    if (!cleaned) await quietly("detach", "--all", "--netns", lab.router.name);
  }
}

const flows = demoFlows();
const packets = flows.reduce((sum, flow) => sum + flow.packets, 0);
await conclude(
  "demo",
  "sent and decoded",
  () => `${flows.length} flows, ${packets} packets`,
  () => demo(flows),
);
