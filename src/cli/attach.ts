// ioamctl attach: meters interfaces until they are detached.
import { type Command, Option } from "commander";
import { type Attached, expandDirections, openAttached } from "../agent/metering/attach-all.ts";
import { netnsInode, withMeterLock } from "../agent/metering/meter-lock.ts";
import { DEFAULT_MAX_FLOWS, type Hook, MAX_FLOWS } from "../meter/index.ts";
import { toJson } from "./json.ts";
import { createLogger } from "./log.ts";
import {
  type CommonOptions,
  interfacesOption,
  jsonOption,
  logLevelOption,
  netnsOption,
  wholeNumber,
} from "./options.ts";
import { print } from "./output.ts";
import { requirePrivileges } from "./privilege.ts";

interface AttachOptions extends CommonOptions {
  interface: string[];
  netns?: string;
  direction: "ingress" | "egress" | "both";
  maxFlows?: number;
  namespace?: number[];
  hook: "auto" | Hook;
  json?: true;
}

const EXAMPLES = `
Interfaces are attached all or none. Metering goes on after the command has ended, until
'ioamctl detach'.

Examples:
  ioamctl attach -n eth1 eth2
  ioamctl attach -n eth1 --netns blue --direction both --max-flows 1000000 --namespace 123 0x7c`;

export function addAttach(program: Command): void {
  program
    .command("attach")
    .description("meter the IOAM packets of interfaces, from now on")
    .addOption(interfacesOption("interfaces to attach to").makeOptionMandatory())
    .addOption(netnsOption())
    .addOption(
      new Option("--direction <direction>", "what to meter: packets that come in, go out, or both")
        .choices(["ingress", "egress", "both"])
        .default("ingress"),
    )
    .option(
      "--max-flows <n>",
      "flows (times CPUs that see them) the table holds; of the netns, set by its first attach " +
        `(default: ${DEFAULT_MAX_FLOWS})`,
      wholeNumber(1, MAX_FLOWS),
    )
    .addOption(
      new Option(
        "--namespace <id...>",
        "IOAM namespaces to meter; of the netns, set by its first attach (default: any)",
      ).argParser((text, before: number[] | undefined) => [
        ...(before ?? []),
        wholeNumber(0, 0xffff)(text),
      ]),
    )
    .addOption(
      new Option("--hook <hook>", "how to attach: TCX where the kernel has it, else tc's clsact")
        .choices(["auto", "tcx", "tc"])
        .default("auto"),
    )
    .addOption(jsonOption())
    .addOption(logLevelOption())
    .addHelpText("after", EXAMPLES)
    .action(attach);
}

async function attach(options: AttachOptions): Promise<void> {
  requirePrivileges("load");
  const log = createLogger(options.logLevel);
  const { netns, maxFlows, namespace: namespaces } = options;
  const points = options.interface.flatMap((name) => expandDirections(name, options.direction));
  const { meter, attached, adopted } = await withMeterLock(netnsInode(netns), () =>
    openAttached({ netns, maxFlows, namespaces }, points, options.hook),
  );
  log.debug({ netns: meter.netns, maxFlows: meter.maxFlows, adopted }, "meter");
  meter.close();
  await print(options.json ? [toJson(attached.map(attachedJson))] : attached.map(attachedLine));
}

function attachedJson({ attachment, created }: Attached): object {
  return { ...attachment, created };
}

function attachedLine({ attachment, created }: Attached): string {
  const { interfaceName, direction, hook, programId } = attachment;
  const what = created ? "attached" : "was attached already";
  return `${interfaceName}: ${what}, ${direction} (${hook}, program ${programId})`;
}
