// The network namespaces whose kernel IOAM events an agent exports: what cannot be had is gone without.
import type { Logger } from "pino";
import type { AgentConfig } from "../config/agent-config.ts";
import { netnsInode } from "../meter-lock.ts";
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

/** All of them, opened and closed as the configuration changes. */
export class TraceSources {
  readonly #open: Map<number, TracedNetns> = new Map();
  readonly #ids: TraceIds = new TraceIds();
  readonly #sinks: () => readonly TraceSink[];
  readonly #log: Logger;
  readonly #onGone: () => void;

  /** `onGone`: a network namespace has gone, and its events with it. */
  constructor(sinks: () => readonly TraceSink[], log: Logger, onGone: () => void) {
    this.#sinks = sinks;
    this.#log = log;
    this.#onGone = onGone;
  }

  /** Network namespaces that are listened to. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Goes over to what `config` asks for: what is listened to already stays so. Where events cannot
   * be had, a warning says why, and the first such error is returned.
   */
  async goOver(config: AgentConfig): Promise<Error | undefined> {
    const kept = new Set<number>();
    let failure: Error | undefined;
    for (const netns of tracedNames(config)) {
      try {
        kept.add(this.#listen(netns, config));
      } catch (error) {
        failure ??= error as Error;
        const fields = { netns: netns ?? null, err: error };
        this.#log.warn(fields, "no IOAM events of this netns: going on without them");
      }
    }
    const gone = [...this.#open.values()].filter(({ inode }) => !kept.has(inode));
    await Promise.all(gone.map((one) => this.#close(one)));
    return failure;
  }

  /** Exports what was received and ends. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((one) => this.#close(one)));
  }

  /** Resolves when no export runs that began before. */
  async idle(): Promise<void> {
    await Promise.all([...this.#open.values()].map((one) => one.idle()));
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
    one.start(() => void this.#close(one).then(this.#onGone));
    return one.inode;
  }

  async #close(one: TracedNetns): Promise<void> {
    if (this.#open.get(one.inode) === one) this.#open.delete(one.inode);
    await one.close();
  }
}
