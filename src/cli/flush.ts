// ioamctl flush: takes flows out of the table without exporting them.

import type { Command } from "commander";
import { counted } from "../counted.ts";
import { filterHint } from "./filter-hint.ts";
import { addFilterOptions, type FilterOptions, filterFrom } from "./filter-options.ts";
import { toJson } from "./json.ts";
import { createLogger } from "./log.ts";
import { openMeter } from "./open-meter.ts";
import { type CommonOptions, jsonOption, logLevelOption, netnsOption } from "./options.ts";
import { print } from "./output.ts";

interface FlushOptions extends CommonOptions, FilterOptions {
  all?: true;
  netns?: string;
  json?: true;
}

const EXAMPLES = `
Filters that match nothing are no failure; a line on standard error says when they cannot match. An
interface that does not exist is one (status 1).

Examples:
  ioamctl flush --all
  ioamctl flush --flow-id 0xabcdef --netns blue
  ioamctl flush --src 2001:db8::/32 --proto udp`;

export function addFlush(program: Command): void {
  const command = program
    .command("flush")
    .description("take flows out of the table; what they counted is added to flushedPackets")
    .option("--all", "all flows");
  addFilterOptions(command)
    .addOption(netnsOption())
    .addOption(jsonOption())
    .addOption(logLevelOption())
    .addHelpText("after", EXAMPLES)
    .action(async (options: FlushOptions) => {
      const filtered = Object.keys(filterFrom(options)).length > 0;
      if (filtered === (options.all !== undefined)) {
        command.error("give either --all or the filters that say which flows");
      }
      await flush(options);
    });
}

async function flush(options: FlushOptions): Promise<void> {
  const log = createLogger(options.logLevel);
  const meter = openMeter(options.netns);
  try {
    const filter = filterFrom(options);
    const taken = await meter.flush(filter);
    log.debug({ netns: meter.netns, filter }, "flushed");
    const why = taken.flows === 0 ? filterHint(meter, filter) : undefined;
    const { flows, packets, octets } = taken;
    const text = `flushed ${counted(flows, "flow")}, ${counted(packets, "packet")}, ${counted(octets, "octet")}`;
    await print([options.json ? toJson(taken) : text]);
    if (why !== undefined) process.stderr.write(`ioamctl flush: ${why}\n`);
  } finally {
    meter.close();
  }
}
