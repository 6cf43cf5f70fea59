// The sinks of a running agent: opened, gone over to others, closed; and what is told of them.
import type { Logger } from "pino";
import type { Peer } from "../../ipfix/index.ts";
import type { AgentConfig } from "../config/agent-config.ts";
import type { AgentSink } from "../sink.ts";
import { CollectorLedger } from "./collector-ledger.ts";
import { configuredPeer } from "./collector-of.ts";
import { CollectorSink } from "./collector-sink.ts";
import { ConsoleSink } from "./console-sink.ts";
import { closeSinks, openSinks, type SinkMap, type SinkSurroundings } from "./open-sinks.ts";

/** What an agent's sinks need beside its configuration. */
export interface AgentSinksOptions extends Omit<SinkSurroundings, "onConsoleClosed"> {
  /** Standard output was closed, and there is no other sink. */
  readonly onNobodyLeft: () => void;
}

/** Where everything goes; nowhere before the first `open`. */
export class AgentSinks {
  readonly #surroundings: SinkSurroundings;
  readonly #log: Logger;
  #sinks: SinkMap = new Map();
  #active: readonly AgentSink[] = [];
  #ledger: CollectorLedger | undefined;

  constructor({ onNobodyLeft, ...options }: AgentSinksOptions) {
    this.#log = options.log;
    const onConsoleClosed = (): void => this.#consoleClosed(onNobodyLeft);
    this.#surroundings = { ...options, onConsoleClosed };
  }

  /** Those that are handed everything. */
  get active(): readonly AgentSink[] {
    return this.#active;
  }

  /** Opens what `config` asks for beyond what is open, and changes nothing yet. Throws as they do. */
  open(config: AgentConfig): Promise<SinkMap> {
    return openSinks(config, this.#sinks, this.#surroundings);
  }

  /** Closes what `open` has opened. */
  async withdraw(opened: SinkMap): Promise<void> {
    await closeSinks(opened, this.#sinks);
  }

  /** Goes over to what was opened; gives those before, for `closeFormer`. */
  adopt(opened: SinkMap): SinkMap {
    const former = this.#sinks;
    this.#sinks = opened;
    this.#active = [...opened.values()];
    return former;
  }

  /** Closes those of `former` that are not in use any more. */
  async closeFormer(former: SinkMap): Promise<void> {
    await closeSinks(former, this.#sinks);
  }

  /** From now on `status` shows what they take. */
  publish(): void {
    this.#ledger = new CollectorLedger(() => this.#collectors().flatMap((sink) => sink.status()));
  }

  /** Where export packets go, as far as it is known. */
  peers(config: AgentConfig): Peer[] {
    const configured = config.collectors.flatMap(configuredPeer);
    return [...configured, ...this.#collectors().flatMap(({ peers }) => peers)];
  }

  async close(): Promise<void> {
    this.#ledger?.remove();
    await closeSinks(this.#sinks);
  }

  #collectors(): CollectorSink[] {
    return this.#active.filter((sink) => sink instanceof CollectorSink);
  }

  #consoleClosed(onNobodyLeft: () => void): void {
    const others = this.#active.filter((sink) => !(sink instanceof ConsoleSink));
    if (others.length === 0) {
      this.#log.info("standard output was closed: stopping");
      onNobodyLeft();
    } else {
      this.#log.warn("standard output was closed: going on without it");
      this.#active = others;
    }
  }
}
