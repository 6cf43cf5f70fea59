// The commands put together: help, wrong use and failures are reported alike for all of them.
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { addAgent } from "./agent.ts";
import { addAttach } from "./attach.ts";
import { addDetach } from "./detach.ts";
import { addDump } from "./dump.ts";
import { EXIT, oneLine, reportError } from "./error.ts";
import { addFlush } from "./flush.ts";
import { isVerbose } from "./log.ts";
import { addMonitor } from "./monitor.ts";
import { addSend } from "./send.ts";
import { addStatus } from "./status.ts";

/** Runs the command that `argv` (without node and script) names; resolves to the exit status. */
export async function run(argv: readonly string[]): Promise<number> {
  let running: Command | undefined;
  const program = createProgram();
  program.hook("preAction", (_program, command) => {
    running = command;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return EXIT.done;
  } catch (error) {
    const name = running === undefined ? "ioamctl" : `ioamctl ${running.name()}`;
    return reportError(error, name, isVerbose(running?.opts().logLevel));
  }
}

function createProgram(): Command {
  const program = new Command("ioamctl")
    .description("Meters In-situ OAM (IOAM) in eBPF on this router and exports it as IPFIX.")
    .version(version(), "--version", "print the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .exitOverride()
    .addHelpText(
      "after",
      "\nExample:\n  ioamctl attach -n eth1 && ioamctl dump --watch\n  ioamctl COMMAND --help",
    );
  for (const add of [
    addAttach,
    addDetach,
    addStatus,
    addDump,
    addFlush,
    addMonitor,
    addAgent,
    addSend,
  ])
    add(program);
  reportUsage(program, "ioamctl");
  for (const command of program.commands) reportUsage(command, `ioamctl ${command.name()}`);
  return program;
}

/** Wrong use of a command becomes one line: "ioamctl dump: unknown option '--x'; see …". */
function reportUsage(command: Command, name: string): void {
  command.configureOutput({
    outputError: (text, write) => {
      const what = oneLine(text.replace(/^error: /, "")).replace(/\.$/, "");
      write(`${name}: ${what}; see ${name} --help\n`);
    },
  });
}

function version(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
