// The sinks that a configuration asks for; those that are open already stay open.
import type { Logger } from "pino";
import { Collector } from "./collector.ts";
import { CollectorSink } from "./collector-sink.ts";
import type { AgentConfig, CollectorConfig, ConsoleFormat } from "./config/agent-config.ts";
import { ConsoleSink, type Printers } from "./console-sink.ts";
import { exportingOptions } from "./exporting-options.ts";
import type { AgentSink } from "./sink.ts";

/** Sinks by what the configuration says of them. */
export type SinkMap = ReadonlyMap<string, AgentSink>;

/** How the console prints, by its format. */
export type PrinterMap = Readonly<Record<ConsoleFormat, Printers>>;

/** What opening sinks needs beside the configuration. */
export interface SinkSurroundings {
  readonly printers: PrinterMap;
  readonly log: Logger;
  /** Standard output was closed by its reader. */
  readonly onConsoleClosed: () => void;
}

/**
 * Opens what `config` asks for, taking from `open` what is there. On failure what this call opened is
 * closed again and the error thrown. A collector that cannot be reached now is none.
 */
export async function openSinks(
  config: AgentConfig,
  open: SinkMap,
  { printers, log, onConsoleClosed }: SinkSurroundings,
): Promise<SinkMap> {
  const sinks = new Map<string, AgentSink>();
  try {
    for (const collector of config.collectors) {
      const key = JSON.stringify(["collector", collector]);
      sinks.set(key, open.get(key) ?? (await openCollector(collector, config, log)));
    }
    for (const output of config.outputs) {
      if (output.console === undefined) continue;
      const key = JSON.stringify(["output", output]);
      const one = printers[output.console.format];
      sinks.set(key, open.get(key) ?? new ConsoleSink(one, onConsoleClosed));
    }
    return sinks;
  } catch (error) {
    await closeSinks(sinks, open);
    throw error;
  }
}

/** Closes the sinks of `sinks` that are not in `kept`. */
export async function closeSinks(sinks: SinkMap, kept: SinkMap = new Map()): Promise<void> {
  const closing = [...sinks].filter(([key]) => !kept.has(key)).map(([, sink]) => sink.close());
  await Promise.all(closing);
}

async function openCollector(
  collector: CollectorConfig,
  config: AgentConfig,
  log: Logger,
): Promise<AgentSink> {
  const one = new Collector(exportingOptions(collector, config), log);
  try {
    await one.begin();
  } catch (error) {
    await one.close();
    throw error;
  }
  return new CollectorSink(one);
}
