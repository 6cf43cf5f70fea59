// What the meter costs a packet: BPF_PROG_TEST_RUN of the product's code, the control beside it.

import type { BpfProgram } from "../src/native/bpf-loader/index.ts";
import { BenchObject, type Traffic } from "./bench-object.ts";
import { MEASURED_CPU, OTHER_CPU } from "./cpus.ts";
import { dexPacket, plainPacket } from "./packet.ts";
import { Measurements, type Result } from "./result.ts";

const FLOWS = [1, 1_000, 10_000, 100_000];
const CAPACITY = 131_072;
const ROUNDS = 7;
/** Runs of which the mean is one measurement: the kernel gives whole nanoseconds a run. */
const RUNS = 5;
const REPEAT = 200_000;
/** Visits a flow until, at random, hardly any was never there. */
const VISITS = 12;
/** Packets in a row that one CPU gets, as a queue's interrupt brings them. */
const BURST = 16;
const UNIT = "ns/packet";
const DEX = dexPacket();

interface Objects {
  table: BenchObject;
  hashmap: BenchObject;
}

/** Nanoseconds a run of the program, the harness of BPF_PROG_TEST_RUN included. */
type Clock = (program: BpfProgram) => Promise<number>;

/** The kernel's own clock: it stands still while another process has the CPU. */
function clock(data: Uint8Array, repeat = REPEAT, cpu = MEASURED_CPU): Clock {
  return async (program) =>
    (await program.testRunAsync({ data, repeat, affinity: cpu })).durationNs;
}

/** On two CPUs at once: the mean of both. */
function clockBoth(data: Uint8Array): Clock {
  const clocks = [MEASURED_CPU, OTHER_CPU].map((cpu) => clock(data, REPEAT, cpu));
  return async (program) => {
    const both = await Promise.all(clocks.map((one) => one(program)));
    return (both[0]! + both[1]!) / 2;
  };
}

/** Measures a program and, in turn with it, the one that does all but what is to be measured. */
async function compare(
  program: BpfProgram,
  without: BpfProgram,
  time = clock(DEX),
): Promise<number> {
  let sum = 0;
  for (let run = 0; run < RUNS; run++) sum += (await time(program)) - (await time(without));
  return sum / RUNS;
}

/** An empty table, and the packets to come. */
function begin({ table, hashmap }: Objects, traffic: Traffic): void {
  table.flip();
  for (const one of [table, hashmap]) one.expect(traffic);
}

async function measurePlain(m: Measurements, { table }: Objects): Promise<void> {
  const [meter, empty] = [table.program("unchanged"), table.program("empty")];
  m.add("meter.none", UNIT, await compare(meter, empty, clock(plainPacket(), 4 * REPEAT)));
}

async function measureFlows(m: Measurements, objects: Objects, flows: number): Promise<void> {
  const { table, hashmap } = objects;
  begin(objects, { order: "random", flows });
  for (const one of [table, hashmap]) await visit(one, Math.max(10_000, flows * VISITS));
  const rewrite = table.program("rewrite");
  for (const [name, object] of [
    ["meter", table],
    ["meter.hashmap", hashmap],
  ] as const) {
    await visit(object, 2 * flows); // into the caches, as far as they go
    m.add(`${name}.flows.${flows}`, UNIT, await compare(object.program("metered"), rewrite));
  }
  m.add(`meter.memory.${flows}`, UNIT, await compare(table.program("memory"), rewrite));
  if (flows === 1) m.add("meter.parse", UNIT, await compare(table.program("parsed"), rewrite));
  if (table.table.count(table.table.generation) < flows * 0.99) {
    throw new Error(`of ${flows} flows hardly all were visited`);
  }
}

/** Runs packets through without a clock. */
async function visit(object: BenchObject, repeat: number): Promise<void> {
  await clock(DEX, repeat)(object.program("metered"));
}

/** Each packet the first of its flow, in a table that was empty. */
async function measureFirst(m: Measurements, objects: Objects): Promise<void> {
  const { table, hashmap } = objects;
  const time = clock(DEX, CAPACITY - 1);
  begin(objects, { order: "alwaysNew" });
  const harness = await time(table.program("rewrite"));
  // Twice: neither this generation nor the one before knows the flows.
  for (let i = 0; i < 2; i++) begin(objects, { order: "alwaysNew" });
  clear(hashmap);
  m.add("meter.first", UNIT, (await time(table.program("metered"))) - harness);
  m.add("meter.hashmap.first", UNIT, (await time(hashmap.program("metered"))) - harness);
  clear(hashmap);
}

function clear({ object }: BenchObject): void {
  const map = object.map("hashmap");
  let position: Uint8Array | undefined;
  do ({ position } = map.lookupAndDeleteBatch(16_384, position));
  while (position !== undefined);
}

/** One flow whose packets two CPUs share, beside one CPU alone with all of them. */
async function measureCpus(m: Measurements, objects: Objects): Promise<void> {
  const rewrite = objects.table.program("rewrite");
  const unnumbered = dexPacket(false);
  for (const [name, object] of [
    ["meter", objects.table],
    ["meter.hashmap", objects.hashmap],
  ] as const) {
    const metered = object.program("metered");
    const measure = async (what: string, time: Clock, burst: number): Promise<void> => {
      begin(objects, { order: "sprayed", burst });
      await time(metered);
      m.add(`${name}.${what}`, UNIT, await compare(metered, rewrite, time));
    };
    await measure("cpus1", clock(DEX), 1);
    await measure("cpus2", clockBoth(DEX), 1);
    await measure("cpus2.bursts", clockBoth(DEX), BURST);
    await measure("cpus1.unnumbered", clock(unnumbered), REPEAT);
    await measure("cpus2.unnumbered", clockBoth(unnumbered), REPEAT);
  }
  begin(objects, { order: "sprayed" });
  const shared = await clockBoth(DEX)(rewrite);
  m.add("meter.counter", UNIT, shared - (await clock(DEX)(rewrite)));
}

export async function benchMeter(): Promise<Result[]> {
  const objects: Objects = {
    table: new BenchObject("table", CAPACITY),
    hashmap: new BenchObject("hashmap", 1),
  };
  const m = new Measurements();
  for (let round = 0; round < ROUNDS; round++) {
    await measurePlain(m, objects);
    for (const flows of FLOWS) await measureFlows(m, objects, flows);
    await measureFirst(m, objects);
    if (OTHER_CPU !== MEASURED_CPU) await measureCpus(m, objects);
  }
  checkWork(objects);
  for (const object of Object.values(objects)) object.close();
  return m.results();
}

/** Table and control counted every packet that they were handed, and had room for it. */
function checkWork({ table, hashmap }: Objects): void {
  if (table.dexPackets !== hashmap.dexPackets) {
    throw new Error(`the meter counted ${table.dexPackets}, the control ${hashmap.dexPackets}`);
  }
  if (table.refused + hashmap.refused > 0) throw new Error("a table was full");
}
