// The network namespaces whose kernel IOAM events an agent exports: what cannot be had is gone without.
import type { Logger } from "pino";
import { openNetns } from "../../native/bpf-loader/index.ts";
import { ENABLE_IOAM, hasIoamEnabled } from "../../netlink/index.ts";
import type { AgentConfig } from "../config/agent-config.ts";
import { netnsInode } from "../metering/meter-lock.ts";
import { isNetns, netnsIdentity } from "../netns-name.ts";
import type { IgnoringSource } from "../options/ignored-packets.ts";
import type { TraceSink } from "../sink.ts";
import { TraceIds } from "./trace-records.ts";
import { TracedNetns } from "./traced-netns.ts";

/** The names of the network namespaces that a configuration asks for; undefined: the agent's own. */
export function tracedNames({ trace, interfaces }: AgentConfig): (string | undefined)[] {
  if (trace.source === "off") return [];
  if (trace.netns !== undefined) return [...new Set(trace.netns)];
  if (interfaces.length === 0) return [undefined];
  return [...new Set(interfaces.map(({ netns }) => netns))];
}

/** What is told of them. */
export interface TraceListener {
  /** One is closed: what it ignored, for the last time. */
  closed(source: IgnoringSource): void;
  /** A network namespace has gone, and its events with it. */
  gone(): void;
}

/** All of them, opened and closed as the configuration changes. */
export class TraceSources {
  readonly #open: Map<number, TracedNetns> = new Map();
  /** Closed while the agent goes on, but not wholly exported yet. */
  readonly #closing: Map<TracedNetns, Promise<void>> = new Map();
  /** By name: the network namespace whose events cannot be had; another one's may. */
  readonly #refused: Map<string, string | undefined> = new Map();
  readonly #ids: TraceIds = new TraceIds();
  readonly #sinks: () => readonly TraceSink[];
  readonly #log: Logger;
  readonly #listener: TraceListener;

  constructor(sinks: () => readonly TraceSink[], log: Logger, listener: TraceListener) {
    this.#sinks = sinks;
    this.#log = log;
    this.#listener = listener;
  }

  /** Network namespaces that are listened to. */
  get size(): number {
    return this.#open.size;
  }

  /** Events that nobody read, of those that are not closed yet. */
  ignored(): IgnoringSource[] {
    return [...this.#open.values(), ...this.#closing.keys()].map((one) => one.ignored());
  }

  /**
   * Goes over to what `config` asks for: what is listened to already stays so. Where events cannot
   * be had, a warning says why; with `isRequired`, where there is nothing else to do, the first such
   * error is thrown when none can be had at all.
   */
  async goOver(config: AgentConfig, isRequired = false): Promise<void> {
    const kept = new Set<number>();
    const failures: [netns: string | undefined, error: Error][] = [];
    for (const netns of tracedNames(config)) {
      try {
        const before = this.size;
        kept.add(this.#listen(netns, config));
        if (this.size > before) this.#hint(netns);
      } catch (error) {
        failures.push([netns, error as Error]);
      }
    }
    if (isRequired && this.size === 0 && failures[0] !== undefined) throw failures[0][1];
    for (const [netns, error] of failures) this.#refuse(netns, error);
    const gone = [...this.#open.values()].filter(({ inode }) => !kept.has(inode));
    await Promise.all(gone.map((one) => this.#close(one)));
  }

  /** Listens to network namespaces of `config` that are there by now, or there again. */
  look(config: AgentConfig): void {
    for (const netns of tracedNames(config)) {
      if (netns === undefined || this.#isHeld(netns)) continue;
      const identity = netnsIdentity(netns);
      if (identity === undefined || this.#refused.get(netns) === identity) continue;
      try {
        this.#listen(netns, config);
      } catch (error) {
        this.#refuse(netns, error as Error);
      }
    }
  }

  /** Whether something that `config` names is not there, and may come. */
  awaits(config: AgentConfig): boolean {
    return tracedNames(config).some((netns) => {
      if (netns === undefined) return false;
      const identity = netnsIdentity(netns);
      return identity === undefined || this.#refused.get(netns) !== identity;
    });
  }

  /** Exports what was received and ends. */
  async close(): Promise<void> {
    const all = [...this.#open.values()].map((one) => this.#close(one));
    await Promise.all([...all, ...this.#closing.values()]);
  }

  /** Resolves when no export runs that began before. */
  async idle(): Promise<void> {
    await Promise.all([...this.#open.values(), ...this.#closing.keys()].map((one) => one.idle()));
  }

  #listen(netns: string | undefined, { trace }: AgentConfig): number {
    const inode = netnsInode(netns);
    if (this.#open.has(inode)) return inode;
    const one = TracedNetns.open(netns, {
      formats: trace.timestamps,
      ids: this.#ids,
      sinks: this.#sinks,
      log: this.#log,
    });
    this.#open.set(one.inode, one);
    one.start(() => {
      if (netns !== undefined) this.#leave(netns, one);
      void this.#close(one).then(() => this.#listener.gone());
    });
    return one.inode;
  }

  /** Says so when no interface would send an event. One that comes back is not set up by then. */
  #hint(netns: string | undefined): void {
    const handle = openNetns(netns);
    const isSilent = !hasIoamEnabled(handle);
    handle.close();
    if (!isSilent) return;
    const what = `no interface has IOAM enabled: no event will come before \`${ENABLE_IOAM}\``;
    this.#log.warn({ netns: netns ?? null }, what);
  }

  /** Says why there are no events, and does not try again with this very network namespace. */
  #refuse(netns: string | undefined, error: Error): void {
    const fields = { netns: netns ?? null, err: error };
    this.#log.warn(fields, "no IOAM events of this netns: going on without them");
    if (netns !== undefined) this.#refused.set(netns, netnsIdentity(netns));
  }

  /** One that is still there no longer lets its events be received. */
  #leave(netns: string, { inode }: TracedNetns): void {
    if (isNetns(netns, inode)) this.#refused.set(netns, netnsIdentity(netns));
  }

  /** Whether what has that name now is listened to, or was and is not wholly let go of yet. */
  #isHeld(netns: string): boolean {
    const closing = [...this.#closing.keys()].map(({ inode }) => inode);
    return [...this.#open.keys(), ...closing].some((inode) => isNetns(netns, inode));
  }

  async #close(one: TracedNetns): Promise<void> {
    if (this.#open.get(one.inode) === one) this.#open.delete(one.inode);
    const closed = one.close().finally(() => {
      if (this.#closing.delete(one)) this.#listener.closed(one.ignored());
    });
    this.#closing.set(one, closed);
    await closed;
  }
}
