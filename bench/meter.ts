// What the meter costs a packet: BPF_PROG_TEST_RUN of the product's code, the control beside it.

import { fileURLToPath } from "node:url";
import { layoutOf } from "../src/meter/layout.ts";
import { bucketsFor, elementsFor, Table } from "../src/meter/table.ts";
import {
  type BpfProgram,
  btfLayout,
  openObject,
  possibleCpus,
} from "../src/native/bpf-loader/index.ts";
import { dexPacket, plainPacket } from "./packet.ts";
import { type Result, summary } from "./result.ts";

const FLOWS = [1, 1_000, 10_000, 100_000];
const CAPACITY = Number(process.env.CAP ?? 131_072);
const REPEAT = 1_000_000;
const ROUNDS = 5;

/** bench/programs/flows.h: enum order. */
const ORDER = { random: 0, alwaysNew: 1, sprayed: 2 } as const;

interface Bench {
  program(name: string): BpfProgram;
  /** Sets the flows of the next runs, and begins with an empty table where `table` is set. */
  prepare(order: keyof typeof ORDER, flows: number): void;
}

function load(name: "table" | "hashmap"): Bench {
  const file = fileURLToPath(new URL(`../build/bench/${name}.bpf.o`, import.meta.url));
  const object = openObject(file);
  const rodata = new DataView(object.rodata());
  const config = layoutOf("meter_config").fields;
  rodata.setUint32(config.buckets!.offset, bucketsFor(CAPACITY), true);
  rodata.setUint32(config.capacity!.offset, CAPACITY, true);
  rodata.setUint32(config.filling!.offset, CAPACITY, true);
  object.setMaxEntries("table", name === "table" ? elementsFor(CAPACITY) : 1);
  object.setMaxEntries("counters", possibleCpus());
  object.load();

  const dataBuffer = object.map(".data").mmap();
  const data = new DataView(dataBuffer);
  const bss = new DataView(object.map(".bss").mmap());
  const inData = btfLayout(file, ".data").fields;
  const inBss = btfLayout(file, ".bss").fields;
  const at = (variable: string): [DataView, number] =>
    inData[variable] === undefined ? [bss, inBss[variable]!.offset] : [data, inData[variable].offset];
  const set = (variable: string, value: number): void => {
    const [view, offset] = at(variable);
    view.setUint32(offset, value, true);
  };
  const table =
    name === "table"
      ? new Table(
          object.map("table").mmap(),
          dataBuffer.slice(0, 4),
          CAPACITY,
          bucketsFor(CAPACITY),
        )
      : undefined;
  let generation = 1;
  return {
    program: (program) => object.program(program),
    prepare(order, flows) {
      set("order", ORDER[order]);
      set("flows", flows);
      const [view, offset] = at("cpus");
      for (let cpu = 0; cpu < 256; cpu++) {
        view.setBigUint64(offset + cpu * 64, 88172645463325252n + (BigInt(cpu) << 40n), true);
      }
      generation++;
      table?.prepare(generation, 0n);
      set("generation", generation);
    },
  };
}

function run(program: BpfProgram, data: Uint8Array, repeat = REPEAT): number {
  return program.testRun({ data, repeat }).durationNs;
}

/** Visits of `flows` flows at random, until nearly each was there. */
function warm(program: BpfProgram, flows: number): void {
  program.testRun({ data: dexPacket(), repeat: Math.max(10_000, flows * 12) });
}

async function onBothCpus(program: BpfProgram): Promise<number> {
  const runs = [0, 1].map((affinity) =>
    program.testRunAsync({ data: dexPacket(), repeat: REPEAT, affinity }),
  );
  const [a, b] = await Promise.all(runs);
  return (a!.durationNs + b!.durationNs) / 2;
}

export async function benchMeter(): Promise<Result[]> {
  const table = load("table");
  const hashmap = load("hashmap");
  const values = new Map<string, number[]>();
  const note = (name: string, value: number): void => {
    values.set(name, [...(values.get(name) ?? []), value]);
  };
  const benches = [
    ["meter", table],
    ["meter.hashmap", hashmap],
  ] as const;

  for (let round = 0; round < ROUNDS; round++) {
    const plain = plainPacket();
    note("meter.none", run(table.program("unchanged"), plain) - run(table.program("empty"), plain));
    for (const flows of FLOWS) {
      for (const [name, bench] of benches) {
        bench.prepare("random", flows);
        table.prepare("random", flows);
        warm(bench.program("metered"), flows);
        const harness = run(table.program("rewrite"), dexPacket());
        note(`${name}.flows.${flows}`, run(bench.program("metered"), dexPacket()) - harness);
      }
    }
    table.prepare("alwaysNew", 1);
    const harness = run(table.program("rewrite"), dexPacket(), CAPACITY - 1);
    table.prepare("alwaysNew", 1);
    note("meter.first", run(table.program("metered"), dexPacket(), CAPACITY - 1) - harness);

    for (const [name, bench] of benches) {
      for (const order of ["random", "sprayed"] as const) {
        bench.prepare(order, 1);
        table.prepare(order, 1);
        const one = run(table.program("rewrite"), dexPacket());
        const both = await onBothCpus(table.program("rewrite"));
        warm(bench.program("metered"), 1);
        const alone = run(bench.program("metered"), dexPacket()) - one;
        const together = (await onBothCpus(bench.program("metered"))) - both;
        note(`${name}.cpus1.${order}`, alone);
        note(`${name}.cpus2.${order}`, together);
      }
    }
  }
  return [...values].map(([name, series]) => summary(name, "ns/packet", series));
}
