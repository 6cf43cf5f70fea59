// The kernel's IOAM events: how many a second, what they cost us, and what they cost the router.

import { setTimeout as delay } from "node:timers/promises";
import { dexPacket } from "../test/lab/dex-packet.ts";
import { eventually } from "../test/lab/eventually.ts";
import { type Generator, generator } from "../test/lab/generator.ts";
import { setUpNode, traceOption } from "../test/lab/ioam-kernel.ts";
import type { NodeModel } from "../test/lab/ioam-node.ts";
import { type RouterLab, router } from "../test/lab/router.ts";
import { type Sink, sink } from "../test/lab/sink.ts";
import { MEASURED_CPU, OTHER_CPU } from "./cpus.ts";
import { ListenerProcess } from "./listener-process.ts";
import { Receiver } from "./receiver.ts";
import { Measurements, type Result } from "./result.ts";

const NAMESPACE = 123;
/** Node, interfaces, seconds, fraction: 16 octets a node. */
const TRACE_TYPE = 0xf00000;
const MOST_HOPS = 4;
const FLOWS = 100;

/** Searches for the highest rate, and halvings in each. */
const SEARCHES = 3;
const HALVINGS = 5;
const LEAST_RATE = 50_000;
const MOST_RATE = 690_000;
const PROBE_SECONDS = 1.5;
/** Seconds that the last event may come after the last packet: a burst's, not a growing queue's. */
const BACKLOG_SECONDS = 0.1;
/** How much slower than asked the generator may have been. */
const SLOWNESS = 1.03;

/** How often a rate is tried, and a cost measured in which events were lost: others use the machine. */
const TRIES = 2;

const COST_RATE = 200_000;
const COST_EVENTS = 300_000;
const COST_ROUNDS = 5;

/** Longer than a record waits for others. */
const EXPORT_MS = 300;

const FORWARDED = 300_000;
const FORWARD_ROUNDS = 15;

/** A node's data of that trace type: earlier than the router's. */
const NODE: NodeModel = {
  values: new Map([
    [0, (64n << 24n) | 1n],
    [1, (1n << 16n) | 2n],
    [2, 1_700_000_000n],
    [3, 5n],
  ]),
};

/** Packets whose trace this router is the last of `hops` nodes to write into. */
function traffic(lab: RouterLab, hops: number): Generator {
  const trace = {
    namespace: NAMESPACE,
    traceType: TRACE_TYPE,
    nodes: Array<NodeModel>(hops - 1).fill(NODE),
    room: 16 * (MOST_HOPS - hops + 1),
  };
  const packet = dexPacket({ source: "fd00:1::", before: [traceOption(trace)] });
  return generator(lab.source, "src0", { flows: FLOWS, packet, pattern: false });
}

const switchIoam = (lab: RouterLab, on: boolean): Promise<void> =>
  lab.router.sysctl({ "net.ipv6.conf.in0.ioam6_enabled": on ? 1 : 0 });

/** Sends so fast for a while: whether every event was there in time, none of them lost. */
async function keepsUp(listener: ListenerProcess, gen: Generator, rate: number): Promise<boolean> {
  const before = await listener.taken();
  const packets = Math.round(rate * PROBE_SECONDS);
  const { seconds } = await gen.send({ packets, rate, cpus: [OTHER_CPU] });
  const end = performance.now();
  const after = await listener.accounted(before.events + before.drops + packets);
  const late = (performance.now() - end) / 1000;
  return (
    after.drops === before.drops && late <= BACKLOG_SECONDS && seconds <= PROBE_SECONDS * SLOWNESS
  );
}

/** The highest rate, by halving, that was kept up with. */
async function highestRate(listener: ListenerProcess, gen: Generator): Promise<number> {
  let [good, bad] = [LEAST_RATE, MOST_RATE];
  for (let i = 0; i < HALVINGS; i++) {
    const rate = (good + bad) / 2;
    let kept = false;
    for (let i = 0; i < TRIES && !kept; i++) kept = await keepsUp(listener, gen, rate);
    if (kept) good = rate;
    else bad = rate;
  }
  return good;
}

/** CPU time of the listener's process, nanoseconds an event: in all and of it the kernel's. */
async function cost(
  listener: ListenerProcess,
  gen: Generator,
): Promise<{ all: number; kernel: number }> {
  for (let i = 0; i < TRIES; i++) {
    const before = await listener.taken();
    await gen.send({ packets: COST_EVENTS, rate: COST_RATE, cpus: [OTHER_CPU] });
    const after = await listener.accounted(before.events + before.drops + COST_EVENTS);
    if (after.drops > before.drops) continue;
    const kernel = ((after.system - before.system) * 1000) / COST_EVENTS;
    return { all: ((after.user - before.user) * 1000) / COST_EVENTS + kernel, kernel };
  }
  throw new Error(`of ${COST_RATE} events a second some were lost, ${TRIES} times in a row`);
}

/** Waits for the last records: the collector has every one, and none was lost on the way. */
async function allExported(listener: ListenerProcess, receiver: Receiver): Promise<void> {
  const records = await eventually("the last records", async () => {
    const before = (await listener.taken()).records;
    await delay(EXPORT_MS);
    const { records } = await listener.taken();
    return records === before && records;
  });
  await receiver.caughtUp(records);
}

/** Thousands of packets a second that go through on one CPU, as fast as it goes. */
async function forwarded(gen: Generator, far: Sink): Promise<number> {
  const before = far.packets;
  const { seconds } = await gen.send({ packets: FORWARDED, cpus: [MEASURED_CPU] });
  await far.arrived(before + FORWARDED);
  return FORWARDED / 1000 / seconds;
}

/** Without the exporter: from the socket to the fields of every hop. */
async function benchDecoding(m: Measurements, lab: RouterLab): Promise<void> {
  using gen = traffic(lab, 1);
  using far = sink(lab.sink, "snk0", gen);
  void far;
  const listener = await ListenerProcess.start(lab.router.name, MEASURED_CPU);
  try {
    await cost(listener, gen); // compiled by the engine
    for (let round = 0; round < COST_ROUNDS; round++) {
      m.add("events.cpu.decode", "ns/event", (await cost(listener, gen)).all);
    }
  } finally {
    await listener.stop();
  }
}

/** The whole: from the socket to the collector. */
async function benchListening(m: Measurements, lab: RouterLab): Promise<void> {
  using single = traffic(lab, 1);
  using several = traffic(lab, MOST_HOPS);
  using far = sink(lab.sink, "snk0", single);
  void far;
  const receiver = await Receiver.start({ sleeps: true });
  const listener = await ListenerProcess.start(lab.router.name, MEASURED_CPU, receiver.port);
  try {
    // Compiled by the engine before anything is measured.
    for (const gen of [single, several]) await cost(listener, gen);
    for (let round = 0; round < COST_ROUNDS; round++) {
      const one = await cost(listener, single);
      m.add("events.cpu", "ns/event", one.all);
      m.add("events.cpu.kernel", "ns/event", one.kernel);
      m.add("events.cpu.hops4", "ns/event", (await cost(listener, several)).all);
    }
    for (let search = 0; search < SEARCHES; search++) {
      m.add("events.rate", "events/s", await highestRate(listener, single));
    }
    await allExported(listener, receiver);
  } finally {
    await listener.stop();
    await receiver.stop();
  }
}

async function benchForwarding(m: Measurements, lab: RouterLab): Promise<void> {
  using gen = traffic(lab, 1);
  using far = sink(lab.sink, "snk0", gen);
  for (let round = -1; round < FORWARD_ROUNDS; round++) {
    const kpps: Record<string, number> = {};
    await switchIoam(lab, false);
    kpps.off = await forwarded(gen, far);
    await switchIoam(lab, true);
    kpps.unheard = await forwarded(gen, far);
    const listener = await ListenerProcess.start(lab.router.name, OTHER_CPU);
    try {
      kpps.heard = await forwarded(gen, far);
      await listener.accounted(FORWARDED);
    } finally {
      await listener.stop();
    }
    if (round < 0) continue; // the first is for the caches
    for (const [name, value] of Object.entries(kpps)) {
      m.add(`events.forward.${name}`, "kpps", value);
    }
  }
}

export async function benchEvents(): Promise<Result[]> {
  await using lab = await router();
  await setUpNode(lab.router, {
    id: 42,
    interfaces: { in0: { id: 11 }, out0: { id: 12 } },
    enabled: ["in0"],
    namespaces: [{ id: NAMESPACE }],
  });
  const m = new Measurements();
  await benchListening(m, lab);
  await benchDecoding(m, lab);
  await benchForwarding(m, lab);
  return m.results();
}
