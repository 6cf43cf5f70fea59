// The agent as it is, from a full table to the socket: CPU time, event loop, memory of its own.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type RunningAgent, startAgent } from "../test/lab/agent.ts";
import { eventually } from "../test/lab/eventually.ts";
import { type Generator, generator } from "../test/lab/generator.ts";
import { router } from "../test/lab/router.ts";
import { MEASURED_CPU, OTHER_CPU, pin } from "./cpus.ts";
import { Receiver } from "./receiver.ts";
import type { Measurements } from "./result.ts";

const FLOWS = 1_000_000;
const ROUNDS = 7;
/** Long enough for all flows to come after an empty table was exported. */
const ACTIVE_TIMEOUT = 5;
const MTU = 1500;

const PROBE = fileURLToPath(new URL("agent-probe.mjs", import.meta.url));

/** What bench/agent-probe.mjs tells. */
interface Probe {
  cpu: number;
  p99: number;
  max: number;
}

const probes = ({ process }: RunningAgent): Probe[] =>
  [...process.errors.matchAll(/^\{"probe":.*\}$/gm)].map(([line]) => JSON.parse(line).probe);

async function probe(agent: RunningAgent): Promise<Probe> {
  const { length } = probes(agent);
  agent.process.child.kill("SIGUSR2");
  return eventually("the probe", () => probes(agent)[length], { every: 2 });
}

/** The most anonymous memory that a process has had from one look to the next, octets. */
class AnonymousMemory {
  readonly #timer: NodeJS.Timeout;
  peak = 0;

  constructor(pid: number) {
    this.#timer = setInterval(() => {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const kib = Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]);
      this.peak = Math.max(this.peak, 1024 * kib);
    }, 5);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** One drain of all flows: what the agent's process did meanwhile. */
async function drainOnce(
  agent: RunningAgent,
  gen: Generator,
  receiver: Receiver,
): Promise<{ nsPerFlow: number; during: Probe }> {
  const { records } = await receiver.counts();
  const received = async (count: number, every: number): Promise<unknown> =>
    eventually(`${count} flows`, async () => (await receiver.counts()).records >= records + count, {
      every,
      timeout: 60_000,
    });
  // When a single flow was exported, the next generation has just begun.
  await gen.send({ packets: 1, cpus: [OTHER_CPU] });
  await received(1, 20);
  await gen.send({ packets: FLOWS, cpus: [OTHER_CPU] });
  const { cpu } = await probe(agent);
  await received(2, 5);
  await probe(agent);
  await received(1 + FLOWS, 5);
  await receiver.caughtUp(records + 1 + FLOWS);
  const during = await probe(agent);
  return { nsPerFlow: (during.cpu - cpu) / FLOWS, during };
}

/** Measures the agent's export of a million flows, again and again. */
export async function benchAgentExport(m: Measurements): Promise<void> {
  await using lab = await router();
  using gen = generator(lab.source, "src0", { flows: FLOWS, pattern: false });
  pin(process.pid, OTHER_CPU);
  const receiver = await Receiver.start();
  const node = ["taskset", "-c", String(MEASURED_CPU), "node", "--import", PROBE];
  const agent = await startAgent(
    `
interfaces: [{ name: in0, netns: ${lab.router.name} }]
meter: { activeTimeout: ${ACTIVE_TIMEOUT}s, maxFlows: ${1.4 * FLOWS} }
collectors: [{ address: "[::1]:${receiver.port}", mtu: ${MTU} }]
`,
    node,
  );
  const memory = new AnonymousMemory(agent.process.child.pid!);
  try {
    for (let round = -1; round < ROUNDS; round++) {
      const { nsPerFlow, during } = await drainOnce(agent, gen, receiver);
      m.addPeak("export.rssanon", "MB", memory.peak / 1e6);
      if (round < 0) continue; // compiled by the engine before anything is measured
      m.add("export.agent", "ns/flow", nsPerFlow);
      m.add("export.eventloop.p99", "ms", during.p99);
      m.addPeak("export.eventloop.max", "ms", during.max);
    }
  } finally {
    memory.stop();
    await agent.stop();
    await receiver.stop();
  }
}
