// ioamctl send: made-up records to any collector, to try a set-up without traffic.

import { type Command, InvalidArgumentError, Option } from "commander";
import type { AgentConfig } from "../agent/config/agent-config.ts";
import { loadConfig } from "../agent/config/load-config.ts";
import { parseDuration } from "../agent/config/quantity.ts";
import { configOf } from "../agent/config/schema.ts";
import { counted } from "../counted.ts";
import { IoamctlError } from "../errors.ts";
import { EXAMPLE } from "../send/example.ts";
import { loadRecords, type RecordsFile } from "../send/records-file.ts";
import { sendRecords } from "../send/send-records.ts";
import { type SendOptions, type SendResult, sendTo } from "../send/send-to.ts";
import { targetsOf } from "../send/targets.ts";
import { type CollectorOption, collectorOption } from "./collector-option.ts";
import { toIndentedJson } from "./json.ts";
import { createLogger } from "./log.ts";
import { tellEveryMistake } from "./mistakes.ts";
import { ofDestination } from "./of-destination.ts";
import { type CommonOptions, jsonOption, logLevelOption } from "./options.ts";
import { print, write } from "./output.ts";
import { recordLine } from "./record-line.ts";

interface SendCommandOptions extends CommonOptions {
  config?: string;
  collector?: CollectorOption;
  file?: string;
  example?: true;
  timeout: number;
  json?: true;
}

const HELP = `
CONFIG is the agent's: its collectors all get the records, its files and the console too. It needs no
interfaces then. \`ioamctl send --example\` says what a file of records may say.

Examples:
  ioamctl send --example > records.yaml
  ioamctl send --collector '[2001:db8::1]:4739' -f records.yaml
  ioamctl send -c /etc/ioamctl/agent.yaml -f records.yaml`;

export function addSend(program: Command): void {
  const command = program
    .command("send")
    .description("send made-up records: tries a collector without traffic")
    .option("-c, --config <file>", "configuration of the agent (YAML): where and how to send")
    .addOption(collectorOption().conflicts("config"))
    .option("-f, --file <file>", "the records (YAML)")
    .addOption(
      new Option("--example", "print a file of records to begin with").conflicts([
        "config",
        "collector",
        "file",
        "json",
      ]),
    )
    .addOption(
      new Option("--timeout <duration>", "how long a collector may take to answer")
        .default(10_000, "10s")
        .argParser(timeout),
    )
    .addOption(jsonOption("print what was sent as one JSON document; no console then"))
    .addOption(logLevelOption())
    .addHelpText("after", HELP);
  command.action(async (options: SendCommandOptions) => {
    if (options.example) {
      await write(EXAMPLE);
      return;
    }
    if (options.file === undefined) command.error("give -f RECORDS.yaml; --example prints one");
    if (options.config === undefined && options.collector === undefined) {
      command.error("give -c CONFIG or --collector ADDRESS:PORT: where to send");
    }
    await send(options, options.file!);
  });
}

async function send(options: SendCommandOptions, file: string): Promise<void> {
  const log = createLogger(options.logLevel);
  const config = tellEveryMistake(() => configFrom(options));
  const targets = targetsOf(config);
  if (options.json && targets.length === 0) throw onlyConsole(options.config!);
  const records = tellEveryMistake(() => loadRecords(file, config.enterpriseNumbers));
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  const { signal } = interrupted;
  log.debug({ destinations: targets.map(({ destination }) => destination.name) }, "sending");
  const [, ...results] = await Promise.all([
    options.json ? undefined : showRecords(config, records, signal),
    ...targets.map((target) =>
      sendTo(target, records, {
        observationDomainId: records.observationDomainId ?? config.observationDomainId,
        timeout: options.timeout,
        typeInformation: typeInformationOf(config),
        signal,
      }),
    ),
  ]);
  const isShown = config.outputs.some(({ console }) => console !== undefined);
  if (options.json) await print([toIndentedJson(results.map(resultObject))]);
  // Beside records on standard output nobody wants anything else.
  else if (isShown) for (const result of results) process.stderr.write(`${resultLine(result)}\n`);
  else await print(results.map(resultLine));
  refuseFailures(results);
}

function onlyConsole(config: string): IoamctlError {
  return new IoamctlError(
    "CONFIG_INVALID",
    `${config} has no collector and no file, only the console, which --json leaves out: nothing would ` +
      "be sent: leave --json out, or give a collector or a file",
  );
}

function typeInformationOf({ options }: AgentConfig): SendOptions["typeInformation"] {
  const { extendedTypeInformation: period, observationDomainId } = options;
  return period === undefined ? undefined : { period: period / 1000, observationDomainId };
}

function configFrom({ config, collector }: SendCommandOptions): AgentConfig {
  if (config !== undefined) return loadConfig(config, "export");
  return configOf({ collectors: [collector!] }, "export");
}

/** What the outputs of the console get, as long as it is read: each its own lines. */
async function showRecords(
  { outputs }: AgentConfig,
  records: RecordsFile,
  signal: AbortSignal,
): Promise<void> {
  const formats = outputs.flatMap(({ console }) => (console === undefined ? [] : [console.format]));
  if (formats.length === 0) return;
  const gone = new AbortController();
  await sendRecords(
    records,
    async (template, some) => {
      const lines = formats.flatMap((format) =>
        some.map((record) => recordLine(template, record, format)),
      );
      // Nobody reads them any more.
      if (!(await print(lines))) gone.abort();
      return { sent: some.length, error: undefined };
    },
    AbortSignal.any([signal, gone.signal]),
  );
}

/** Fails with what was not sent. */
function refuseFailures(results: readonly SendResult[]): void {
  const failures = results.flatMap(({ destination, error }) =>
    error === undefined
      ? []
      : [
          new IoamctlError(error.code, ofDestination(destination, error.message), {
            cause: error.cause,
          }),
        ],
  );
  if (failures.length > 0) throw new AggregateError(failures);
}

function resultObject({ error, ...counts }: SendResult): object {
  return { ...counts, error: error?.message };
}

function resultLine(result: SendResult): string {
  const { destination, records, messages, octets, droppedRecords } = result;
  const dropped = droppedRecords === 0 ? "" : `, ${counted(droppedRecords, "record")} dropped`;
  const sent = [counted(messages, "message"), counted(octets, "octet")].join(", ");
  return `${destination}: ${counted(records, "record")} sent, ${sent}${dropped}`;
}

function timeout(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined || milliseconds < 1 || milliseconds > 86_400_000) {
    throw new InvalidArgumentError("Give a duration with its unit, such as 10s, up to 1d.");
  }
  return milliseconds;
}
