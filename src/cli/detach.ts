// ioamctl detach: ends metering of some interfaces, or removes everything of ours.

import type { Command } from "commander";
import { removeLeftNotes } from "../agent/left-notes.ts";
import { type RunningAgent, runningAgent } from "../agent/metering/agent-lock.ts";
import { netnsInode, withMeterLock } from "../agent/metering/meter-lock.ts";
import { counted } from "../counted.ts";
import { IoamctlError } from "../errors.ts";
import { type Attachment, Meter } from "../meter/index.ts";
import { toJson } from "./json.ts";
import { createLogger, type Logger } from "./log.ts";
import {
  type CommonOptions,
  interfacesOption,
  jsonOption,
  logLevelOption,
  netnsArgument,
  netnsOption,
} from "./options.ts";
import { print } from "./output.ts";
import { requirePrivileges } from "./privilege.ts";

interface DetachOptions extends CommonOptions {
  interface?: string[];
  all?: true;
  netns?: string;
  json?: true;
}

const EXAMPLES = `
With -n, a table that still holds flows is kept for 'ioamctl dump' and 'ioamctl agent'; --all removes
tables with all that is in them. An agent goes on with what is left, and attaches again to all that it was
told to meter when reloaded or restarted.

Examples:
  ioamctl detach -n eth1
  ioamctl detach --all               everything, in every network namespace
  ioamctl detach --all --netns blue`;

export function addDetach(program: Command): void {
  const command = program
    .command("detach")
    .description("end the metering of interfaces")
    .addOption(interfacesOption("interfaces to detach from, both directions"))
    .option("--all", "detach from all interfaces and remove the tables")
    .addOption(netnsOption())
    .addOption(jsonOption())
    .addOption(logLevelOption())
    .addHelpText("after", EXAMPLES);
  command.action(async (options: DetachOptions) => {
    if ((options.interface === undefined) === (options.all === undefined)) {
      command.error("give either -n IFACE… or --all");
    }
    await detach(options);
  });
}

async function detach(options: DetachOptions): Promise<void> {
  requirePrivileges();
  const log = createLogger(options.logLevel);
  const { interface: names, netns } = options;
  const meters = names === undefined ? metersOf(netns) : openOne(netns);
  try {
    if (names !== undefined && meters.length === 0) throw notAttached(names, netns);
    const detached: Attachment[] = [];
    const removed: Meter[] = [];
    for (const meter of meters) {
      await withMeterLock(meter.netnsInode, () => {
        if (names === undefined) {
          detached.push(...meter.attachments());
          meter.remove();
          removed.push(meter);
        } else {
          detached.push(...detachInterfaces(meter, names, netns));
          const agent = runningAgent(meter.netnsInode);
          if (agent !== undefined) tellOfAgent(agent, names);
          if (removeIfDone(meter, agent, log)) removed.push(meter);
        }
      });
    }
    if (names === undefined) {
      await removeHalfMade(netns, meters);
      // What is written down of attachments and counters is of nothing that is left.
      removeLeftNotes(netns === undefined ? undefined : inodesOf(netns, meters));
    }
    await print(options.json ? [toJson(detached)] : resultLines(detached, removed));
  } finally {
    for (const meter of meters) meter.close();
  }
}

/** Of the network namespace that has this name, and of those that had it and left a table. */
function inodesOf(netns: string, meters: readonly Meter[]): number[] {
  const inodes = meters.map((meter) => meter.netnsInode);
  try {
    return [...inodes, netnsInode(netns)];
  } catch {
    return inodes;
  }
}

function openOne(netns: string | undefined): Meter[] {
  const meter = Meter.open(netns);
  return meter === undefined ? [] : [meter];
}

/** All meters, or that of one network namespace, which may itself be gone and only its table left. */
function metersOf(netns: string | undefined): Meter[] {
  if (netns === undefined) return Meter.list();
  try {
    return openOne(netns);
  } catch (error) {
    if (error instanceof IoamctlError && error.code === "METER_INCOMPLETE") return [];
    const left = Meter.list().filter((meter) => {
      if (meter.netns === netns) return true;
      meter.close();
      return false;
    });
    if (left.length === 0) throw error;
    return left;
  }
}

/**
 * Removes what is pinned of meters that a killed command had not wholly made or not wholly removed.
 * Nothing of such a meter is attached. `meters`: the whole ones of `netns` or, without it, of all.
 */
async function removeHalfMade(netns: string | undefined, meters: readonly Meter[]): Promise<void> {
  const whole = netns !== undefined && meters.length > 0;
  const inodes = netns === undefined ? Meter.pinned() : whole ? [] : [netnsInode(netns)];
  for (const inode of inodes) {
    await withMeterLock(inode, () => Meter.removeIncomplete(inode));
  }
}

/** Detaches all of `names` or, when one of them is not attached, none. */
export function detachInterfaces(
  meter: Pick<Meter, "attachments" | "detach">,
  names: readonly string[],
  netns: string | undefined,
): Attachment[] {
  const attached = new Set(meter.attachments().map((attachment) => attachment.interfaceName));
  const missing = names.filter((name) => !attached.has(name));
  if (missing.length > 0) throw notAttached(missing, netns);
  return names.flatMap((name) => meter.detach(name));
}

function notAttached(names: readonly string[], netns: string | undefined): IoamctlError {
  const where = netns === undefined ? "this netns" : `netns ${netns}`;
  return new IoamctlError(
    "NOT_ATTACHED",
    `nothing was detached because ${names.join(", ")} is not attached in ${where}: ` +
      "`ioamctl status` lists what is",
  );
}

/** An agent was not asked, and it need not stay like this. */
function tellOfAgent({ pid }: RunningAgent, names: readonly string[]): void {
  process.stderr.write(
    `ioamctl detach: agent ${pid} goes on without ${names.join(", ")}; what it was told to meter ` +
      "it attaches to again when reloaded or restarted\n",
  );
}

/** Removes a meter that has nothing left to meter and nothing left to tell. */
function removeIfDone(meter: Meter, agent: RunningAgent | undefined, log: Logger): boolean {
  if (meter.attachments().length > 0) return false;
  const flows = meter.flows();
  if (flows === 0 && agent === undefined) {
    meter.remove();
    return true;
  }
  log.debug({ flows, agent: agent?.pid }, "table kept");
  if (agent === undefined) {
    const where = netnsArgument(meter.netns);
    process.stderr.write(
      `ioamctl detach: the table is kept because it holds ${counted(flows, "flow")}, neither exported ` +
        `nor flushed: \`ioamctl dump${where}\` shows what is in it, \`ioamctl detach --all${where}\` removes it\n`,
    );
  }
  return false;
}

function* resultLines(detached: Attachment[], removed: Meter[]): Generator<string> {
  if (detached.length === 0) yield "nothing was attached";
  for (const { netns, interfaceName, direction } of detached) {
    yield `${interfaceName}: detached, ${direction}${inNetns(netns)}`;
  }
  for (const { netns } of removed) yield `table removed${inNetns(netns)}`;
}

function inNetns(netns: string | null): string {
  return netns === null ? "" : ` (netns ${netns})`;
}
