// ioamctl agent: the exporting daemon, from a configuration file or from options.
import { type Command, Option } from "commander";
import type { AgentConfig } from "../agent/config/agent-config.ts";
import { loadConfig } from "../agent/config/load-config.ts";
import { configOf } from "../agent/config/schema.ts";
import { runAgent } from "../agent/run-agent.ts";
import { type CollectorOption, collectorOption } from "./collector-option.ts";
import { printers } from "./flow-printers.ts";
import { createLogger } from "./log.ts";
import { tellEveryMistake } from "./mistakes.ts";
import { type CommonOptions, interfacesOption, logLevelOption, netnsOption } from "./options.ts";
import { print } from "./output.ts";
import { requireNetAdmin, requirePrivileges } from "./privilege.ts";

interface AgentOptions extends CommonOptions {
  config?: string;
  check?: true;
  interface?: string[];
  netns?: string;
  collector?: CollectorOption;
  console?: true;
}

const EXAMPLES = `
SIGTERM and SIGINT export what is left, detach what the agent attached, and end it; a second one ends
it at once. SIGHUP reads CONFIG again.

Examples:
  ioamctl agent -n eth1 --console
  ioamctl agent -n eth1 eth2 --netns blue --collector '[2001:db8::1]:4739'
  ioamctl agent -n eth1 --collector tcp://collector.example:4739
  ioamctl agent -c /etc/ioamctl/agent.yaml --check && ioamctl agent -c /etc/ioamctl/agent.yaml`;

export function addAgent(program: Command): void {
  const command = program
    .command("agent")
    .description("export flows as IPFIX until stopped")
    .option("-c, --config <file>", "configuration (YAML)")
    .addOption(
      new Option("--check", "only check the configuration; needs no rights").conflicts([
        "interface",
        "netns",
        "collector",
        "console",
      ]),
    )
    .addOption(interfacesOption("interfaces to meter, at ingress").conflicts("config"))
    .addOption(netnsOption().conflicts("config"))
    .addOption(collectorOption().conflicts("config"))
    .addOption(
      new Option("--console", "print flows as JSON, one a line, each interval").conflicts("config"),
    )
    .addOption(logLevelOption())
    .addHelpText("after", EXAMPLES);
  command.action(async (options: AgentOptions) => {
    if ((options.config === undefined) === (options.interface === undefined)) {
      command.error("give either -c CONFIG or -n IFACE…");
    }
    if (options.config === undefined && !options.collector && !options.console) {
      command.error("give --collector ADDRESS:PORT or --console: else nothing would be exported");
    }
    if (options.check) await check(options.config!);
    else await agent(options);
  });
}

async function check(file: string): Promise<void> {
  tellEveryMistake(() => loadConfig(file));
  await print([`${file}: in order`]);
}

async function agent(options: AgentOptions): Promise<void> {
  const { config: file } = options;
  const config = file === undefined ? configFrom(options) : loadConfig(file);
  if (config.interfaces.length > 0) requirePrivileges("load");
  else requireNetAdmin();
  await runAgent({
    config,
    reread: file === undefined ? undefined : () => loadConfig(file),
    printers: printers(config.trace.timestamps),
    log: createLogger(options.logLevel),
  });
}

/** The configuration that the options stand for. */
function configFrom(options: AgentOptions): AgentConfig {
  return configOf({
    interfaces: (options.interface ?? []).map((name) => ({
      name,
      ...(options.netns !== undefined && { netns: options.netns }),
    })),
    collectors: options.collector ? [options.collector] : [],
    outputs: options.console ? [{ console: { format: "json" } }] : [],
  });
}
