// The sinks that a configuration asks for; those that are open already stay open.
import type { Logger } from "pino";
import type { AgentConfig, ConsoleFormat } from "../config/agent-config.ts";
import { observationDomainOf } from "../observation-domains.ts";
import type { NamedInterface } from "../options/interface-names.ts";
import { LossCounts } from "../options/loss-counts.ts";
import type { AgentSink } from "../sink.ts";
import type { Collector } from "./collector.ts";
import { type CollectorSurroundings, collectorOf, fileOf } from "./collector-of.ts";
import { CollectorSink } from "./collector-sink.ts";
import { ConsoleSink, type Printers } from "./console-sink.ts";
import type { Exporter } from "./exporter.ts";
import { Fallback } from "./fallback.ts";

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
  /** Packets of an observation domain that should have been metered and were not, since the start. */
  readonly ignored: (observationDomainId: number) => LossCounts;
  /** Of the network namespaces that are metered, those of an observation domain. */
  readonly interfaces: (observationDomainId: number) => Iterable<NamedInterface>;
}

/**
 * Opens what `config` asks for, taking from `open` what is there. On failure what this call opened is
 * closed again and the error thrown. A collector that cannot be reached now is none.
 */
export async function openSinks(
  config: AgentConfig,
  open: SinkMap,
  surroundings: SinkSurroundings,
): Promise<SinkMap> {
  const sinks = new Map<string, AgentSink>();
  const add = async (what: unknown, make: () => AgentSink | Promise<AgentSink>): Promise<void> => {
    const key = JSON.stringify(what);
    sinks.set(key, open.get(key) ?? (await make()));
  };
  const { collectors, outputs, exportMode } = config;
  try {
    if (exportMode === "fallback" && collectors.length > 1) {
      await add(["fallback", collectors], () => openFallback(config, surroundings));
    } else {
      for (const one of collectors) {
        await add(["collector", one], () => openOne(collectorOf, one, config, surroundings));
      }
    }
    for (const output of outputs) {
      await add(["output", output], () => {
        if (output.file !== undefined) return openOne(fileOf, output.file, config, surroundings);
        const { printers, onConsoleClosed } = surroundings;
        return new ConsoleSink(printers[output.console.format], onConsoleClosed);
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

async function openOne<T>(
  make: (one: T, config: AgentConfig, surroundings: CollectorSurroundings) => Collector,
  one: T,
  config: AgentConfig,
  surroundings: SinkSurroundings,
): Promise<CollectorSink> {
  const notSent = new LossCounts();
  const collector = make(one, config, { ...surroundings, notSent });
  await begin([collector]);
  return sinkOf(collector, notSent, config);
}

async function openFallback(
  config: AgentConfig,
  surroundings: SinkSurroundings,
): Promise<CollectorSink> {
  const notSent = new LossCounts();
  const collectors = config.collectors.map((one) =>
    collectorOf(one, config, { ...surroundings, notSent }),
  );
  await begin(collectors);
  return sinkOf(new Fallback(collectors, surroundings.log), notSent, config);
}

function sinkOf(exporter: Exporter, notSent: LossCounts, config: AgentConfig): CollectorSink {
  return new CollectorSink(exporter, notSent, (netns) => observationDomainOf(config, netns));
}

/** Waits for the first attempts of all. When one has failed for good, all are closed. */
async function begin(collectors: readonly Collector[]): Promise<void> {
  try {
    await Promise.all(collectors.map((one) => one.begin()));
  } catch (error) {
    await Promise.all(collectors.map((one) => one.close()));
    throw error;
  }
}
