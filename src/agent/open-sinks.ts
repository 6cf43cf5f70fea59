// The sinks that a configuration asks for; those that are open already stay open.
import type { Logger } from "pino";
import type { Collector } from "./collector.ts";
import { collectorOf, fileOf } from "./collector-of.ts";
import { CollectorSink } from "./collector-sink.ts";
import type { AgentConfig, CollectorConfig, ConsoleFormat } from "./config/agent-config.ts";
import { ConsoleSink, type Printers } from "./console-sink.ts";
import { Fallback } from "./fallback.ts";
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
  /** A session with a collector began or ended. */
  readonly onCollectorChange: () => void;
}

/**
 * Opens what `config` asks for, taking from `open` what is there. On failure what this call opened is
 * closed again and the error thrown. A collector that cannot be reached now is none.
 */
export async function openSinks(
  config: AgentConfig,
  open: SinkMap,
  { printers, log, onConsoleClosed, onCollectorChange }: SinkSurroundings,
): Promise<SinkMap> {
  const sinks = new Map<string, AgentSink>();
  const add = async (what: unknown, make: () => AgentSink | Promise<AgentSink>): Promise<void> => {
    const key = JSON.stringify(what);
    sinks.set(key, open.get(key) ?? (await make()));
  };
  const { collectors, outputs, exportMode } = config;
  const make = (one: CollectorConfig): Collector =>
    collectorOf(one, config, log, onCollectorChange);
  try {
    if (exportMode === "fallback" && collectors.length > 1) {
      await add(["fallback", collectors], async () => {
        const all = await opened(collectors.map(make));
        return new CollectorSink(new Fallback(all, log));
      });
    } else {
      for (const one of collectors) {
        await add(["collector", one], async () => {
          const [collector] = await opened([make(one)]);
          return new CollectorSink(collector!);
        });
      }
    }
    for (const output of outputs) {
      await add(["output", output], async () => {
        if (output.console !== undefined) {
          return new ConsoleSink(printers[output.console.format], onConsoleClosed);
        }
        const [file] = await opened([fileOf(output.file, config, log)]);
        return new CollectorSink(file!);
      });
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

/** Waits for the first attempts of all. When one has failed for good, all are closed. */
async function opened(collectors: Collector[]): Promise<Collector[]> {
  try {
    await Promise.all(collectors.map((one) => one.begin()));
    return collectors;
  } catch (error) {
    await Promise.all(collectors.map((one) => one.close()));
    throw error;
  }
}
