// ioamctl dump: what the flow table holds, without changing it.
import { setTimeout as delay } from "node:timers/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { IoamctlError } from "../errors.ts";
import type { Flow, Meter } from "../meter/index.ts";
import { capacityHint } from "./capacity.ts";
import { filterHint } from "./filter-hint.ts";
import { addFilterOptions, type FilterOptions, filterFrom } from "./filter-options.ts";
import { SORT_FIELDS, sortFlows } from "./flow-sort.ts";
import { flowColumns, TABLE_WIDTH } from "./flow-table.ts";
import { jsonArrayLines, toJson } from "./json.ts";
import { createLogger } from "./log.ts";
import { openMeter } from "./open-meter.ts";
import {
  type CommonOptions,
  jsonOption,
  logLevelOption,
  netnsOption,
  wholeNumber,
} from "./options.ts";
import { isTerminal, print } from "./output.ts";
import { tableLines } from "./table.ts";

interface DumpOptions extends CommonOptions, FilterOptions {
  netns?: string;
  sort: string;
  limit?: number;
  watch?: number | true;
  wide?: true;
  json?: true;
}

const DEFAULT_PERIOD = 2;
const CLEAR = "\x1b[H\x1b[2J\x1b[3J";

const EXAMPLES = `
AGE is the time since a flow's last packet; '-' stands for what is not known, such as LOST of packets
without sequence numbers. Filters that match nothing are no failure; a line on standard error says when
they cannot match. An interface that does not exist is one (status 1).

Examples:
  ioamctl dump --sort lost --limit 20
  ioamctl dump --netns blue -n eth1 --src 2001:db8::/32 --proto udp --dport 53000
  ioamctl dump --watch 5
  ioamctl dump --json | jq '.[] | select(.ioamLostPacketCount > 0)'`;

export function addDump(program: Command): void {
  const command = program.command("dump").description("show the flows in the table");
  addFilterOptions(command)
    .addOption(netnsOption())
    .addOption(
      new Option("--sort <field>", "order by this column").choices(SORT_FIELDS).default("packets"),
    )
    .option("--limit <n>", "show this many flows at most", wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .addOption(
      new Option(
        "--watch [seconds]",
        `show again every so many seconds (${DEFAULT_PERIOD}); with --json one array a line`,
      ).argParser(seconds),
    )
    .addOption(
      new Option("--wide", "never shorten addresses: lines may become very long").conflicts("json"),
    )
    .addOption(jsonOption())
    .addOption(logLevelOption())
    .addHelpText("after", EXAMPLES)
    .action(dump);
}

async function dump(options: DumpOptions): Promise<void> {
  const log = createLogger(options.logLevel);
  const meter = openMeter(options.netns);
  try {
    if (options.watch !== undefined) {
      await watch(meter, options, options.watch === true ? DEFAULT_PERIOD : options.watch);
      return;
    }
    const flows = select(meter, options);
    log.debug({ netns: meter.netns, flows: flows.length }, "dump");
    const why = whyNone(meter, options, flows);
    await print(options.json ? jsonArrayLines(flows) : flowLines(flows, options));
    hint(why);
    hint(capacityHint(meter));
  } finally {
    meter.close();
  }
}

/** Dumps until it is interrupted or nobody reads any more. */
async function watch(meter: Meter, options: DumpOptions, period: number): Promise<void> {
  const interrupted = new AbortController();
  const stop = (): void => interrupted.abort();
  process.once("SIGINT", stop).once("SIGTERM", stop);
  for (let first = true; !interrupted.signal.aborted; first = false) {
    if (!meter.isPinned()) {
      throw new IoamctlError(
        "NOT_ATTACHED",
        "the table that was shown is removed: `ioamctl attach` makes another",
      );
    }
    const flows = select(meter, options);
    // Later on an interface may go, and come back.
    const why = first ? whyNone(meter, options, flows) : undefined;
    if (!(await print(options.json ? [toJson(flows)] : screen(flows, options)))) break;
    hint(why);
    hint(capacityHint(meter));
    await delay(period * 1000, undefined, { signal: interrupted.signal }).catch(() => {});
  }
}

function select(meter: Meter, options: DumpOptions): Flow[] {
  return sortFlows(meter.dump(filterFrom(options)), options.sort).slice(0, options.limit);
}

function* screen(flows: Flow[], options: DumpOptions): Generator<string> {
  const lines = flowLines(flows, options);
  if (isTerminal()) {
    yield CLEAR + (lines.next().value ?? "");
    yield* lines;
  } else {
    yield* lines;
    yield "";
  }
}

function flowLines(flows: Flow[], options: DumpOptions): Generator<string> {
  return tableLines(flowColumns(Date.now()), flows, {
    ...(!options.wide && { width: TABLE_WIDTH }),
    ...(isTerminal() && { header: (line: string) => `\x1b[1m${line}\x1b[22m` }),
  });
}

/** Why there are no flows to show, when there cannot be any. Throws NO_SUCH_INTERFACE. */
function whyNone(meter: Meter, options: DumpOptions, flows: readonly Flow[]): string | undefined {
  return flows.length === 0 ? filterHint(meter, filterFrom(options)) : undefined;
}

function hint(text: string | undefined): void {
  if (text !== undefined) process.stderr.write(`ioamctl dump: ${text}\n`);
}

function seconds(text: string): number {
  const value = /^\d+(\.\d+)?s?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (!(value >= 0.1 && value <= 86_400)) {
    throw new InvalidArgumentError("Give seconds from 0.1 to 86400.");
  }
  return value;
}
