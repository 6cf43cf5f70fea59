// An agent under traffic, with a collector that gets everything beside one that fails, and the sums at the end.
import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import { type Collector, collector } from "../lab/collector.ts";
import { eventually } from "../lab/eventually.ts";
import { exportedFlows } from "../lab/exported-flows.ts";
import { type Generator, generator } from "../lab/generator.ts";
import type { Background } from "../lab/process.ts";
import { type Sink, sink } from "../lab/sink.ts";
import type { CommandLab } from "../net/command-lab.ts";
import { expectConserved, type StatusJson } from "../net/status-json.ts";

/** Flows that the traffic has, each of which is a record in each interval. */
export const FLOWS = 2000;

/** Packets a second. */
const RATE = 50_000;

type CollectorJson = StatusJson["collectors"][number];

/** An agent under traffic, with one collector that gets everything, and what fails beside it. */
export class UnderTraffic {
  readonly agent: Background;
  readonly #commands: CommandLab;
  readonly #healthy: Collector;
  readonly #generator: Generator;
  readonly #sink: Sink;
  readonly #sending: Promise<void>;
  #isOver = false;
  #sent = 0;

  private constructor(
    commands: CommandLab,
    agent: Background,
    healthy: Collector,
    gen: Generator,
    far: Sink,
  ) {
    this.#commands = commands;
    this.agent = agent;
    this.#healthy = healthy;
    this.#generator = gen;
    this.#sink = far;
    this.#sending = this.#send();
  }

  /** `failing` is a line of YAML: an element of `collectors` or of `outputs`. */
  static async start(
    commands: CommandLab,
    kind: "collectors" | "outputs",
    failing: string,
  ): Promise<UnderTraffic> {
    const { host, lab, name } = commands;
    const healthy = await collector();
    await host.print("attach", "-n", "in0", "--netns", name, "--max-flows", "8192");
    const well = `- { address: "${healthy.target}", mtu: 1400 }`;
    const file = await commands.configure(`
interfaces: [{ name: in0, netns: ROUTER }]
meter: { activeTimeout: 200ms }
collectors:
  ${well}
  ${kind === "collectors" ? failing : ""}
${kind === "outputs" ? `outputs:\n  ${failing}` : ""}`);
    const agent = await commands.agent("-c", file);
    const gen = generator(lab.source, "src0", { flows: FLOWS });
    const far = sink(lab.sink, "snk0", gen);
    return new UnderTraffic(commands, agent, healthy, gen, far);
  }

  /** The collector or file that may fail. */
  async failing(): Promise<CollectorJson> {
    return (await this.#collectors()).find(({ name }) => !name.endsWith(this.#healthy.target))!;
  }

  async healthy(): Promise<CollectorJson> {
    return (await this.#collectors()).find(({ name }) => name.endsWith(this.#healthy.target))!;
  }

  // As `status` shows them, without a process each time.
  async #collectors(): Promise<CollectorJson[]> {
    const { pid } = this.agent;
    const file = `/proc/${pid}/root/run/ioamctl/collectors-${pid}.json`;
    return JSON.parse(await readFile(file, "utf8")) as CollectorJson[];
  }

  /** Waits until that is so of the one that may fail, and the other one has got more meanwhile. */
  async until(what: string, is: (failing: CollectorJson) => boolean): Promise<void> {
    const { records } = await this.healthy();
    await eventually(what, async () => is(await this.failing()), { every: 50 });
    await this.goesOn(records);
  }

  /** Waits until the healthy one has got three intervals more. */
  async goesOn(since?: number): Promise<void> {
    const from = since ?? (await this.healthy()).records;
    await eventually("the other collector gets more", async () => {
      return (await this.healthy()).records > from + 3 * FLOWS;
    });
  }

  /** Anonymous memory of the agent, octets. */
  async memory(): Promise<number> {
    const status = await readFile(`/proc/${this.agent.pid}/status`, "utf8");
    return 1024 * Number(/^RssAnon:\s+(\d+)/m.exec(status)![1]);
  }

  /**
   * Ends the traffic, then the agent: the healthy collector got every packet; of the other one it is
   * known how many records it took, how many it did not. Gives what it took.
   */
  async end(): Promise<CollectorJson> {
    this.#isOver = true;
    await this.#sending;
    await this.#sink.arrived(this.#sent);
    const records = await eventually("all is exported", async () => {
      const { exportedPackets, exportedRecords } = (await this.#commands.status()).counters;
      return exportedPackets === this.#sent && exportedRecords;
    });
    // Exported and dropped are what was handed over. What `status` says is a second old at most.
    await eventually("the other has taken all", async () => {
      return (await this.healthy()).records === records;
    });
    expect((await this.healthy()).droppedRecords).toBe(0);
    const failing = await eventually("all is accounted for", async () => {
      const one = await this.failing();
      return one.records + one.droppedRecords === records && one;
    });
    expect((await this.agent.stop()).code).toBe(0);
    const after = await this.#commands.status();
    expectConserved(after, this.#sent);
    expect(after.counters).toMatchObject({ droppedPackets: 0, exportedPackets: this.#sent });
    const got = await exportedFlows((await this.#healthy.sender()).file);
    const packets = [...got.flows.values()].reduce((sum, flow) => sum + flow.packets, 0);
    expect({ packets, records: got.records, gaps: got.gaps }).toEqual({
      packets: this.#sent,
      records,
      gaps: 0,
    });
    await this.#commands.host.print("detach", "--all", "--netns", this.#commands.name);
    await this.#commands.host.clean(this.#commands.lab.router);
    return failing;
  }

  /** Ends the traffic. */
  async close(): Promise<void> {
    this.#isOver = true;
    await this.#sending;
    this.#generator.close();
    this.#sink.close();
    await this.#healthy.close();
  }

  async #send(): Promise<void> {
    while (!this.#isOver) {
      const packets = RATE / 5;
      await this.#generator.send({ packets, rate: RATE });
      this.#sent += packets;
    }
  }
}
