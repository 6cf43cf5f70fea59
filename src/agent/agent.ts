// The exporting daemon: meters and kernel events of several network namespaces, into all sinks.
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { IoamctlError } from "../errors.ts";
import type { MeterOptions } from "../meter/index.ts";
import { expandDirections, type ObservationPoint } from "./attach-all.ts";
import type { AgentConfig } from "./config/agent-config.ts";
import { ConsoleSink } from "./console-sink.ts";
import { netnsInode } from "./meter-lock.ts";
import { MeteredNetns } from "./metered-netns.ts";
import { closeSinks, openSinks, type SinkMap, type SinkSurroundings } from "./open-sinks.ts";
import { refuseFixedChanges } from "./reload.ts";
import type { AgentSink, Sink } from "./sink.ts";
import { TraceSources } from "./trace/trace-sources.ts";

/** What is not exported by then, at the end, stays in the table. */
const STOP_LIMIT_MS = 10_000;

/** What an agent needs beside its configuration. */
export interface AgentSurroundings extends Omit<SinkSurroundings, "onConsoleClosed"> {
  /** The agent has nothing left to do: no meter, or nobody to tell. */
  readonly onIdle: (why: IoamctlError | undefined) => void;
}

/** What the configuration says about one network namespace. */
interface Wanted {
  readonly options: MeterOptions;
  readonly points: ObservationPoint[];
}

/** A running agent. */
export class Agent {
  readonly #netns: Map<number, MeteredNetns> = new Map();
  readonly #surroundings: SinkSurroundings;
  readonly #onIdle: AgentSurroundings["onIdle"];
  readonly #log: Logger;
  #config: AgentConfig;
  #sinks: SinkMap = new Map();
  #activeSinks: readonly AgentSink[] = [];
  readonly #traces: TraceSources;

  private constructor(config: AgentConfig, { onIdle, ...sinks }: AgentSurroundings) {
    this.#config = config;
    this.#onIdle = onIdle;
    this.#log = sinks.log;
    this.#surroundings = { ...sinks, onConsoleClosed: () => this.#consoleClosed() };
    const active = (): readonly AgentSink[] => this.#activeSinks;
    this.#traces = new TraceSources(active, this.#log, () => this.#idleIfNothingLeft());
  }

  /**
   * Opens the collectors, then attaches, then begins to export. When one thing fails, everything is
   * undone and the error thrown; but where the kernel's IOAM events cannot be had, a warning says
   * so, as long as there is something else to export.
   */
  static async start(config: AgentConfig, surroundings: AgentSurroundings): Promise<Agent> {
    const agent = new Agent(config, surroundings);
    agent.#setSinks(await openSinks(config, new Map(), agent.#surroundings));
    try {
      await agent.#openAll(wantedBy(config));
      const failure = await agent.#traces.goOver(config);
      if (failure !== undefined && agent.#hasNothing()) throw failure;
    } catch (error) {
      await closeSinks(agent.#sinks);
      throw error;
    }
    for (const one of agent.#netns.values()) agent.#start(one);
    return agent;
  }

  /**
   * Goes over to another configuration: interfaces, collectors, outputs, activeTimeout and onExit.
   * Throws, and changes nothing, when something else differs or something new cannot be had.
   */
  async reload(config: AgentConfig): Promise<void> {
    refuseFixedChanges(this.#config, config);
    const wanted = wantedBy(config);
    const sinks = await openSinks(config, this.#sinks, this.#surroundings);
    const undo: (() => Promise<void>)[] = [];
    const added = new Map([...wanted].filter(([inode]) => !this.#netns.has(inode)));
    try {
      for (const [inode, { points }] of wanted) {
        const one = this.#netns.get(inode);
        if (one === undefined) continue;
        const before = await one.add(points);
        undo.push(() => one.keepOnly(before));
      }
      await this.#openAll(added);
    } catch (error) {
      for (const step of undo) await step();
      await closeSinks(sinks, this.#sinks);
      throw error;
    }
    await this.#goOver(config, wanted, added, sinks);
  }

  /** Exports all there is and ends; resolves to false when that took too long or failed. */
  async stop(): Promise<boolean> {
    const { onExit } = this.#config;
    const closing = [...this.#netns.values()].map((one) => this.#close(one, onExit));
    const inTime = new AbortController();
    const limit = delay(STOP_LIMIT_MS, [false], { signal: inTime.signal }).catch(() => [true]);
    const traces = this.#traces.close().then(() => true);
    const exported = await Promise.race([Promise.all([...closing, traces]), limit]);
    await closeSinks(this.#sinks);
    inTime.abort();
    return !exported.includes(false);
  }

  /** The second half of a reload, when everything new is there. */
  async #goOver(
    config: AgentConfig,
    wanted: WantedMap,
    added: WantedMap,
    sinks: SinkMap,
  ): Promise<void> {
    const former = this.#sinks;
    const isPeriodNew = config.meter.activeTimeout !== this.#config.meter.activeTimeout;
    this.#config = config;
    this.#setSinks(sinks);
    for (const [inode, one] of this.#netns) {
      const points = wanted.get(inode)?.points;
      if (points === undefined) await this.#close(one, "detach");
      else if (added.has(inode)) this.#start(one);
      else {
        await one.keepOnly(points);
        if (isPeriodNew) one.setPeriod(config.meter.activeTimeout, () => this.#meterGone(one));
      }
    }
    await this.#traces.goOver(config);
    // A drain that began with the former sinks ends with them.
    await Promise.all([...this.#netns.values(), this.#traces].map((one) => one.idle()));
    await closeSinks(former, sinks);
  }

  #setSinks(sinks: SinkMap): void {
    this.#sinks = sinks;
    this.#activeSinks = [...sinks.values()];
  }

  /** Opens all of `wanted`, or none. */
  async #openAll(wanted: WantedMap): Promise<void> {
    const opened: MeteredNetns[] = [];
    try {
      for (const [inode, { options, points }] of wanted) {
        const sinks = (): readonly Sink[] => this.#activeSinks;
        const one = await MeteredNetns.open(inode, options, points, sinks, this.#log);
        opened.push(one);
        this.#netns.set(inode, one);
      }
    } catch (error) {
      for (const one of opened) {
        await one.withdraw();
        this.#netns.delete(one.inode);
      }
      throw error;
    }
  }

  #start(one: MeteredNetns): void {
    one.start(this.#config.meter.activeTimeout, () => this.#meterGone(one));
  }

  /** Whether everything of it was exported. */
  async #close(one: MeteredNetns, onExit: "detach" | "keep"): Promise<boolean> {
    this.#netns.delete(one.inode);
    try {
      await one.close(onExit);
      return true;
    } catch (error) {
      this.#log.error({ netns: one.netns, err: error }, "the last flows could not be exported");
      return false;
    }
  }

  #meterGone(one: MeteredNetns): void {
    void this.#close(one, "detach").then(() => this.#idleIfNothingLeft());
  }

  #hasNothing(): boolean {
    return this.#netns.size === 0 && this.#traces.size === 0;
  }

  #idleIfNothingLeft(): void {
    if (!this.#hasNothing()) return;
    const why = "every meter or its netns was removed, so nothing is left to export: start anew";
    this.#onIdle(new IoamctlError("METER_GONE", why));
  }

  #consoleClosed(): void {
    const others = this.#activeSinks.filter((sink) => !(sink instanceof ConsoleSink));
    if (others.length === 0) {
      this.#log.info("standard output was closed: stopping");
      this.#onIdle(undefined);
    } else {
      this.#log.warn("standard output was closed: going on without it");
      this.#activeSinks = others;
    }
  }
}

type WantedMap = ReadonlyMap<number, Wanted>;

/** What the configuration asks for, by the kernel's number of the network namespace. */
function wantedBy(config: AgentConfig): WantedMap {
  const { maxFlows, namespaces } = config.meter;
  const wanted = new Map<number, Wanted>();
  for (const { name, netns, direction } of config.interfaces) {
    const inode = netnsInode(netns);
    const one = wanted.get(inode) ?? { options: { netns, maxFlows, namespaces }, points: [] };
    one.points.push(...expandDirections(name, direction));
    wanted.set(inode, one);
  }
  return wanted;
}
