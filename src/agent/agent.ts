// The exporting daemon: meters and kernel events of several network namespaces, into all sinks.
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { IoamctlError } from "../errors.ts";
import type { AgentConfig } from "./config/agent-config.ts";
import type { ObservationPoint } from "./metering/attach-all.ts";
import { MeteredNetns } from "./metering/metered-netns.ts";
import { ReturningNetns } from "./metering/returning-netns.ts";
import {
  meteredNames,
  type WantedMap,
  type WantedNetns,
  wantedBy,
} from "./metering/wanted-netns.ts";
import { isNetns } from "./netns-name.ts";
import { observationDomainOf } from "./observation-domains.ts";
import { IgnoredPackets } from "./options/ignored-packets.ts";
import { netnsInterfaces } from "./options/netns-interfaces.ts";
import { keepDomains, refuseFixedChanges } from "./reload.ts";
import { AgentSinks, type AgentSinksOptions } from "./sinks/agent-sinks.ts";
import type { SinkMap } from "./sinks/open-sinks.ts";
import { startTicker, type Ticker } from "./ticker.ts";
import { TraceSources } from "./trace/trace-sources.ts";

/** What is not exported by then, at the end, stays in the table. */
const STOP_LIMIT_MS = 10_000;

/** How often network namespaces that were deleted, or are back, are looked for. */
const LOOK_MS = 1000;

/** What an agent needs beside its configuration. */
export interface AgentSurroundings extends Pick<AgentSinksOptions, "printers" | "log"> {
  /** The agent has nothing left to do: no meter, or nobody to tell. */
  readonly onIdle: (why: IoamctlError | undefined) => void;
}

/** A running agent. */
export class Agent {
  readonly #netns: Map<number, MeteredNetns> = new Map();
  readonly #sinks: AgentSinks;
  readonly #onIdle: AgentSurroundings["onIdle"];
  readonly #log: Logger;
  #config: AgentConfig;
  readonly #ignored: IgnoredPackets;
  readonly #traces: TraceSources;
  readonly #returning: ReturningNetns;
  /** Closed while the agent goes on, but not wholly exported yet. */
  readonly #closing: Set<Promise<boolean>> = new Set();
  #looking: Ticker | undefined;
  #isStopping = false;

  private constructor(config: AgentConfig, { onIdle, ...surroundings }: AgentSurroundings) {
    this.#config = config;
    this.#ignored = new IgnoredPackets((netns) => observationDomainOf(config, netns));
    this.#onIdle = onIdle;
    this.#log = surroundings.log;
    this.#sinks = new AgentSinks({
      ...surroundings,
      onNobodyLeft: () => onIdle(undefined),
      onCollectorChange: () => this.#leaveOutExports(),
      ignored: (domain) => {
        this.#lookForIgnored();
        return this.#ignored.countsIn(domain);
      },
      interfaces: (domain) => netnsInterfaces(this.#meteredIn(domain)),
    });
    const active = () => this.#sinks.active;
    this.#traces = new TraceSources(active, this.#log, {
      closed: (source) => this.#ignored.lookLast(source),
      gone: () => this.#idleIfNothingLeft(),
    });
    const places = {
      has: (inode: number) => this.#netns.has(inode),
      open: async (inode: number, wanted: WantedNetns) => {
        await this.#openAll(new Map([[inode, wanted]]));
        this.#start(this.#netns.get(inode)!);
      },
      add: async (inode: number, points: readonly ObservationPoint[]) => {
        await this.#netns.get(inode)!.add(points);
      },
    };
    this.#returning = new ReturningNetns(places, this.#log);
  }

  /**
   * Opens the collectors, then attaches, then begins to export. When one thing fails, everything is
   * undone and the error thrown; but where the kernel's IOAM events cannot be had, a warning says
   * so, as long as there is something else to export.
   */
  static async start(config: AgentConfig, surroundings: AgentSurroundings): Promise<Agent> {
    const agent = new Agent(config, surroundings);
    agent.#sinks.adopt(await agent.#sinks.open(config));
    try {
      await agent.#openAll(wantedBy(config));
      await agent.#traces.goOver(config, agent.#netns.size === 0);
    } catch (error) {
      await agent.#sinks.close();
      throw error;
    }
    for (const one of agent.#netns.values()) agent.#start(one);
    agent.#sinks.publish();
    agent.#beginLooking();
    return agent;
  }

  /**
   * Goes over to another configuration: interfaces, collectors, outputs, activeTimeout and onExit.
   * Throws, and changes nothing, when something else differs or something new cannot be had.
   */
  async reload(config: AgentConfig): Promise<void> {
    await this.#endLooking();
    try {
      await this.#reload(config);
    } finally {
      this.#beginLooking();
    }
  }

  async #reload(wanting: AgentConfig): Promise<void> {
    refuseFixedChanges(this.#config, wanting);
    const config = keepDomains(this.#config, wanting);
    // What was metered and is not there now is waited for.
    const wanted = wantedBy(config, meteredNames(this.#config));
    const sinks = await this.#sinks.open(config);
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
      await this.#sinks.withdraw(sinks);
      throw error;
    }
    await this.#goOver(config, wanted, added, sinks);
  }

  /** Exports all there is and ends; resolves to false when that took too long or failed. */
  async stop(): Promise<boolean> {
    const { onExit } = this.#config;
    this.#isStopping = true;
    await this.#endLooking();
    const closing = [...this.#closing];
    for (const one of this.#netns.values()) closing.push(this.#close(one, onExit));
    const inTime = new AbortController();
    const limit = delay(STOP_LIMIT_MS, [false], { signal: inTime.signal }).catch(() => [true]);
    const traces = this.#traces.close().then(() => true);
    const exported = await Promise.race([Promise.all([...closing, traces]), limit]);
    await this.#sinks.close();
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
    const isPeriodNew = config.meter.activeTimeout !== this.#config.meter.activeTimeout;
    this.#config = config;
    const former = this.#sinks.adopt(sinks);
    this.#leaveOutExports();
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
    await Promise.all(this.#closing);
    await this.#sinks.closeFormer(former);
  }

  /** Packets of the agent's own are not metered (RFC 9326 section 6): they would beget others. */
  #leaveOutExports(): void {
    const peers = this.#sinks.peers(this.#config);
    for (const one of this.#netns.values()) one.leaveOutExports(peers);
  }

  /** The network namespaces of an observation domain that are metered. */
  #meteredIn(domain: number): (string | undefined)[] {
    const names = [...meteredNames(this.#config)];
    return names.filter((netns) => observationDomainOf(this.#config, netns) === domain);
  }

  #lookForIgnored(): void {
    this.#ignored.look([
      ...[...this.#netns.values()].map((one) => one.ignored()),
      ...this.#traces.ignored(),
    ]);
  }

  /** Opens all of `wanted`, or none. */
  async #openAll(wanted: WantedMap): Promise<void> {
    const opened: MeteredNetns[] = [];
    try {
      for (const [inode, { options, points }] of wanted) {
        const sinks = () => this.#sinks.active;
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
    this.#leaveOutExports();
    // What it had counted by now is not this agent's.
    this.#lookForIgnored();
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
    } finally {
      this.#ignored.lookLast(one.ignored());
    }
  }

  #meterGone(one: MeteredNetns): void {
    if (this.#netns.get(one.inode) !== one) return;
    // Still there: somebody removed the meter, and has to say so when it is to be metered again.
    if (one.netns !== null && isNetns(one.netns, one.inode)) this.#returning.leave(one.netns);
    const closing = this.#close(one, "detach").then((isExported) => {
      this.#closing.delete(closing);
      this.#idleIfNothingLeft();
      return isExported;
    });
    this.#closing.add(closing);
  }

  /** Lets go of what was deleted and takes up what is back, from now on. */
  #beginLooking(): void {
    if (this.#isStopping) return;
    this.#looking = startTicker(LOOK_MS, async () => {
      for (const one of this.#netns.values()) {
        if (one.isNetnsGone()) this.#meterGone(one);
      }
      this.#lookForIgnored();
      this.#traces.look(this.#config);
      await this.#returning.look(this.#config);
    });
  }

  async #endLooking(): Promise<void> {
    this.#looking?.stop();
    await this.#looking?.idle();
  }

  #hasNothing(): boolean {
    return this.#netns.size === 0 && this.#traces.size === 0;
  }

  #idleIfNothingLeft(): void {
    if (!this.#hasNothing()) return;
    if (this.#returning.awaits(this.#config) || this.#traces.awaits(this.#config)) return;
    const events = this.#config.trace.source === "off" ? "" : " and no IOAM events come any more";
    const why = `every meter was removed${events}, so nothing is left to export: start anew`;
    this.#onIdle(new IoamctlError("METER_GONE", why));
  }
}
