// Traffic that goes on while a test does something else, each flow in order.
import { eventually } from "../lab/eventually.ts";
import type { Generator } from "../lab/generator.ts";
import type { Sink } from "../lab/sink.ts";

/** Sends round after round until told to stop. */
export class EndlessTraffic {
  readonly #gen: Generator;
  readonly #sending: Promise<void>;
  #stopping = false;

  constructor(gen: Generator) {
    this.#gen = gen;
    this.#sending = this.#send();
    this.#sending.catch(() => undefined); // stop() reports it
  }

  async #send(): Promise<void> {
    // Each flow always by the same CPU, so that its packets stay in order.
    while (!this.#stopping) {
      await this.#gen.send({ packets: 10 * this.#gen.flows, cpus: [0, 1], rate: 150_000 });
    }
  }

  /** Waits until every flow made packets anew. */
  async goesOn(): Promise<void> {
    const last = [this.#gen.flows / 2 - 1, this.#gen.flows - 1];
    const start = last.map((flow) => this.#gen.position(flow));
    await eventually("traffic goes on", () =>
      last.every((flow, cpu) => this.#gen.position(flow) > start[cpu]! + 2),
    );
  }

  /** Ends it; resolves to the packets sent, which all have arrived. */
  async stop(far: Sink): Promise<number> {
    this.#stopping = true;
    await this.#sending;
    await far.arrived(this.#gen.packets);
    return this.#gen.packets;
  }
}
