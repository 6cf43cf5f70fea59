// The meter of one network namespace: made or adopted, attached, read, rotated, removed.

import { counted } from "../counted.ts";
import { IoamctlError } from "../errors.ts";
import { type NodeIds, readNodeIds } from "../ioam/index.ts";
import {
  clockOffset,
  interfaceIndex,
  interfaceName,
  type NetnsHandle,
  openNetns,
  openRing,
  withNetns,
} from "../native/bpf-loader/index.ts";
import { type Attachment, Attachments } from "./attachments.ts";
import { combineFlows } from "./combine.ts";
import type { Contents } from "./contents.ts";
import { Ledger, sumCounters } from "./counters.ts";
import { type ExportDestination, writeExports } from "./exports.ts";
import { type FlowFilter, flowMatcher } from "./filter.ts";
import type { Flow, FlowContext } from "./flow.ts";
import { type Flushed, flushGeneration } from "./flush.ts";
import { Generations } from "./generations.ts";
import type { Direction, Hook } from "./hooks.ts";
import { liveFlows } from "./live.ts";
import { agentPid, lockMeter } from "./locks.ts";
import {
  closeParts,
  isWhole,
  type KernelParts,
  loadParts,
  MAX_FLOWS,
  openParts,
  readConfig,
} from "./maps.ts";
import { findNetns } from "./netns.ts";
import { belongsTo, openOwnParts } from "./ownership.ts";
import { Pins, pinnedNetns, preparePinRoot } from "./pins.ts";
import type { SealedGeneration } from "./sealed.ts";
import { Table } from "./table.ts";

export interface MeterOptions {
  /** Name under /run/netns; left out: the caller's own. */
  netns?: string | undefined;
  /** Records a generation holds (one a flow and CPU); default 131 072, about 75 MB. */
  maxFlows?: number | undefined;
  /** IOAM namespaces to meter; left out or empty: any. */
  namespaces?: number[] | undefined;
}

export const DEFAULT_MAX_FLOWS = 131_072;

function sameNumbers(a: number[], b: number[]): boolean {
  const sorted = (numbers: number[]): string => [...new Set(numbers)].sort((x, y) => x - y).join();
  return sorted(a) === sorted(b);
}

/** One network namespace's meter. `close` lets go of it; the kernel goes on metering. */
export class Meter {
  /** The operator's name of the network namespace; null: the one it was attached from. */
  readonly netns: string | null;
  readonly netnsInode: number;
  readonly maxFlows: number;
  readonly namespaces: number[];
  readonly #handle: NetnsHandle | undefined;
  readonly #pins: Pins;
  readonly #identity: number | undefined;
  readonly #parts: KernelParts;
  readonly #attachments: Attachments;
  readonly #generations: Generations;
  readonly #table: Table;
  readonly #counters: ArrayBuffer;
  readonly #ledger: Ledger;
  readonly #exports: ArrayBuffer;

  private constructor(
    inode: number,
    handle: NetnsHandle | undefined,
    pins: Pins,
    parts: KernelParts,
  ) {
    const config = readConfig(parts);
    this.netns = handle?.name ?? (config.netns === "" ? null : config.netns);
    this.netnsInode = inode;
    this.maxFlows = config.maxFlows;
    this.namespaces = config.namespaces;
    this.#handle = handle;
    this.#pins = pins;
    this.#identity = pins.identity;
    this.#parts = parts;
    this.#attachments = new Attachments(
      parts.maps.attachments,
      pins,
      parts.programs,
      handle,
      this.netns,
    );
    this.#table = new Table(
      parts.maps.table.mmap(),
      parts.maps.generation.mmap(),
      config.maxFlows,
      config.buckets,
    );
    this.#counters = parts.maps.counters.mmap();
    this.#ledger = new Ledger(parts.maps.ledger.mmap());
    this.#exports = parts.maps.exports.mmap();
    this.#generations = new Generations(this.#table, this.#ledger, parts.maps);
  }

  /**
   * The meter of a network namespace; made if there is none. Throws METER_MISMATCH when the one
   * there was made with other options.
   */
  static openOrCreate(options: MeterOptions): Meter {
    const handle = openNetns(options.netns);
    try {
      preparePinRoot();
      const pins = new Pins(handle.inode);
      const own = openOwnParts(pins, handle);
      if (own !== undefined) {
        const meter = new Meter(handle.inode, handle, pins, own);
        meter.#checkOptions(options);
        return meter;
      }
      const maxFlows = options.maxFlows ?? DEFAULT_MAX_FLOWS;
      if (!Number.isInteger(maxFlows) || maxFlows < 1 || maxFlows > MAX_FLOWS) {
        throw new IoamctlError(
          "MAX_FLOWS",
          `maxFlows is ${maxFlows}: give a number from 1 to ${MAX_FLOWS}`,
        );
      }
      const parts = loadParts(pins, {
        maxFlows,
        namespaces: options.namespaces ?? [],
        netns: options.netns ?? "",
        netnsCookie: handle.cookie(),
      });
      return new Meter(handle.inode, handle, pins, parts);
    } catch (error) {
      handle.close();
      throw error;
    }
  }

  /** The meter of a network namespace, if there is one. */
  static open(netns?: string): Meter | undefined {
    const handle = openNetns(netns);
    try {
      const pins = new Pins(handle.inode);
      const parts = openOwnParts(pins, handle);
      if (parts !== undefined) return new Meter(handle.inode, handle, pins, parts);
    } catch (error) {
      handle.close();
      throw error;
    }
    handle.close();
    return undefined;
  }

  /** The meters of every network namespace, also of such as are gone by now. */
  static list(): Meter[] {
    return pinnedNetns().flatMap((inode) => {
      const pins = new Pins(inode);
      if (!isWhole(pins)) return [];
      try {
        const parts = openParts(pins);
        let handle = findNetns(inode);
        if (handle !== undefined && !belongsTo(parts, handle)) {
          handle.close();
          handle = undefined;
        }
        return [new Meter(inode, handle, pins, parts)];
      } catch (error) {
        if (isWhole(pins)) throw error;
        return []; // Removed in this moment.
      }
    });
  }

  /** The inodes of the network namespaces where anything is pinned, also of meters not whole. */
  static pinned(): number[] {
    return pinnedNetns();
  }

  /** Removes what a killed command left of a meter that is not whole. Needs the meter's lock. */
  static removeIncomplete(netnsInode: number): void {
    const pins = new Pins(netnsInode);
    if (!isWhole(pins)) pins.removeAll();
  }

  #checkOptions(options: MeterOptions): void {
    const wrong =
      options.maxFlows !== undefined && options.maxFlows !== this.maxFlows
        ? `for ${counted(this.maxFlows, "flow")}, not ${options.maxFlows}`
        : options.namespaces !== undefined && !sameNumbers(options.namespaces, this.namespaces)
          ? `for ${this.namespaces.length === 0 ? "any namespace" : `namespaces ${this.namespaces.join(", ")}`}`
          : undefined;
    if (wrong === undefined) return;
    this.close();
    throw new IoamctlError(
      "METER_MISMATCH",
      `the meter of this network namespace was made ${wrong}: run 'ioamctl detach --all${this.netns === null ? "" : ` --netns ${this.netns}`}' first, or leave the option out`,
    );
  }

  /** Attaches to an interface; already attached there: nothing changes. Throws NO_SUCH_INTERFACE. */
  attach(
    name: string,
    direction: Direction,
    options: { hook?: "auto" | Hook } = {},
  ): { attachment: Attachment; created: boolean } {
    return this.#attachments.add(name, direction, options.hook ?? "auto");
  }

  /** Detaches from an interface, in one direction or both; returns what was detached. */
  detach(name: string, direction?: Direction): Attachment[] {
    return this.#attachments.remove(name, direction);
  }

  attachments(): Attachment[] {
    return this.#attachments.list();
  }

  /** Detaches everything and removes every pin: with them the table and its counters are gone. */
  remove(): void {
    try {
      this.#attachments.removeAll();
    } finally {
      this.#pins.removeAll();
    }
  }

  /** Is it still the meter that commands find? Somebody may have removed it, or put another there. */
  isPinned(): boolean {
    return this.#identity !== undefined && this.#pins.identity === this.#identity;
  }

  /**
   * From now on packets to these collectors, and to no others, are counted (`collectorPackets`)
   * instead of metered: all of the list before is replaced. It stays in force, also when this
   * process has ended, until it is replaced: by `[]` in the end. TOO_MANY_DESTINATIONS,
   * BAD_ADDRESS.
   */
  setExportDestinations(destinations: readonly ExportDestination[]): void {
    writeExports(this.#exports, destinations);
  }

  /** What is in the table: neither exported nor flushed. */
  contents(): Contents {
    return this.#generations.contents();
  }

  /** Flows in the table. */
  flows(): number {
    return this.contents().flows;
  }

  /** Records taken of the `maxFlows` of the active generation: above 75 % it is filling. */
  used(): number {
    return this.#table.count(this.#table.generation);
  }

  /** What the flow table takes of the kernel's memory. */
  get memoryOctets(): number {
    return this.#table.buffer.byteLength;
  }

  /** Every counter by name (docs/counters.md): of the programs, summed over CPUs, and the ledger's. */
  counters(): Record<string, bigint> {
    return { ...sumCounters(this.#counters), ...this.#ledger.values() };
  }

  /** The flows in the table that match, merged over CPUs and generations. */
  dump(filter: FlowFilter = {}): Flow[] {
    const matches = flowMatcher(filter);
    const context = this.#context();
    const flows: Flow[] = [];
    for (const { flow } of liveFlows(this.#table, context)) if (matches(flow)) flows.push(flow);
    return combineFlows(flows);
  }

  /** Takes the flows that match out of the table; what they had is counted as flushed. */
  async flush(filter: FlowFilter = {}): Promise<Flushed> {
    const matches = flowMatcher(filter);
    const context = this.#context();
    const lock = await lockMeter(this.netnsInode);
    try {
      const active = this.#table.generation;
      const flushed: Flushed = { flows: 0, packets: 0n, octets: 0n };
      // What is sealed belongs to the agent, if one runs; so does beginning a new generation.
      const alone = agentPid(this.netnsInode) === undefined;
      const everything = Object.values(filter).every((wanted) => wanted === undefined);
      for (const generation of alone ? [active - 1, active] : [active]) {
        const from = generation === active ? 0 : this.#table.cursor(generation);
        // However many packets come in meanwhile, the next ones find the whole log free.
        if (generation === active && alone && everything) await this.#generations.seal();
        const part = await flushGeneration(this.#table, generation, from, context, matches, () =>
          this.#generations.grace(),
        );
        flushed.flows += part.flows;
        flushed.packets += part.packets;
        flushed.octets += part.octets;
        this.#ledger.add("flushedPackets", part.packets);
        this.#ledger.add("flushedOctets", part.octets);
      }
      if (alone && !everything && this.#isEmpty(active)) await this.#generations.seal();
      return flushed;
    } finally {
      lock.release();
    }
  }

  /** Nothing left to keep: the next generation starts with the whole log free. */
  #isEmpty(active: number): boolean {
    return this.#table.count(active) > 0 && this.flows() === 0;
  }

  /** A generation that was sealed and not wholly exported: to be finished before the next rotation. */
  pending(): Promise<SealedGeneration | undefined> {
    return this.#generations.pending();
  }

  /**
   * Begins a new generation and returns the sealed one, which no program writes any more.
   * `early`: because the table was filling. Takes 8-16 ms, off the event loop. Throws PENDING when
   * the generation before was not exported.
   */
  async rotate(early = false): Promise<SealedGeneration> {
    const lock = await lockMeter(this.netnsInode);
    try {
      const sealed = await this.#generations.seal();
      this.#ledger.add("rotations", 1);
      if (early) this.#ledger.add("earlyRotations", 1);
      return sealed;
    } finally {
      lock.release();
    }
  }

  /** Calls back each time a generation is 75 % full. */
  onFilling(callback: () => void): { close(): void } {
    return openRing(this.#parts.maps.events, callback);
  }

  /** This node's IOAM ids; empty when they were never set. */
  nodeIds(): NodeIds {
    return this.#handle === undefined ? {} : withNetns(this.#handle, readNodeIds);
  }

  /** Whether its network namespace has an interface of that name now. */
  hasInterface(name: string): boolean {
    const handle = this.#handle;
    return handle !== undefined && withNetns(handle, () => interfaceIndex(name) !== 0);
  }

  /** A function that names interfaces, each looked up once. */
  interfaceNames(): (ifindex: number) => string {
    const names = new Map<number, string>();
    return (ifindex) => {
      let name = names.get(ifindex);
      if (name === undefined) {
        const found =
          this.#handle === undefined
            ? undefined
            : withNetns(this.#handle, () => interfaceName(ifindex));
        name = found ?? `if${ifindex}`;
        names.set(ifindex, name);
      }
      return name;
    };
  }

  #context(): FlowContext {
    return {
      clockOffset: clockOffset().realtimeMinusMonotonicNs,
      interfaceName: this.interfaceNames(),
    };
  }

  /** Lets go of maps and programs; a mapping that a sealed generation still shows stays. */
  close(): void {
    closeParts(this.#parts);
    this.#handle?.close();
  }
}
