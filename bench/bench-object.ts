// A loaded object of bench/programs, and what its programs are told of the packets to come.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ledger, sumCounters } from "../src/meter/counters.ts";
import { configureObject, startObject } from "../src/meter/maps.ts";
import { bucketsFor, Table } from "../src/meter/table.ts";
import { type BpfObject, type BpfProgram, openObject } from "../src/native/bpf-loader/index.ts";

/** bench/programs/flows.h: enum order. */
const ORDER = { random: 0, alwaysNew: 1, sprayed: 2 } as const;

/** struct cpus of bench/programs/flows.h: so many, of so many octets. */
const CPUS = 256;
const CPU_OCTETS = 64;

/** Which packets are next; `burst`: sequence numbers that a CPU takes at once when sprayed. */
export interface Traffic {
  order: keyof typeof ORDER;
  flows?: number;
  burst?: number;
}

export class BenchObject {
  /** Of the product; in the control nothing uses it. */
  readonly table: Table;
  readonly ledger: Ledger;
  readonly object: BpfObject;
  readonly #variables: Map<string, DataView> = new Map();
  readonly #counters: ArrayBuffer;

  constructor(name: "table" | "hashmap", maxFlows: number) {
    const file = fileURLToPath(new URL(`../build/bench/${name}.bpf.o`, import.meta.url));
    if (!existsSync(file)) throw new Error(`${file} does not exist: run make build`);
    const config = { maxFlows, namespaces: [], netns: "" };
    const object = openObject(file);
    configureObject(object, config);
    object.load();
    startObject(object, config);
    this.object = object;
    for (const section of [".data", ".bss"]) {
      const memory = object.map(section).mmap();
      for (const [variable, { offset }] of Object.entries(object.layout(section).fields)) {
        this.#variables.set(variable, new DataView(memory, offset));
      }
    }
    const state = this.#variable("generation").buffer as ArrayBuffer;
    this.table = new Table(object.map("table").mmap(), state, maxFlows, bucketsFor(maxFlows));
    this.ledger = new Ledger(object.map("ledger").mmap());
    this.#counters = object.map("counters").mmap();
  }

  #variable(name: string): DataView {
    const view = this.#variables.get(name);
    if (view === undefined) throw new Error(`bench/programs have no variable ${name}`);
    return view;
  }

  program(name: string): BpfProgram {
    return this.object.program(name);
  }

  /** DEX packets that the programs have counted so far. */
  get dexPackets(): number {
    return Number(sumCounters(this.#counters).dexPackets);
  }

  /** DEX packets for which there was no room. */
  get refused(): number {
    return Number(sumCounters(this.#counters).tableFull);
  }

  /** Says which packets come next. */
  expect({ order, flows = 1, burst = 1 }: Traffic): void {
    this.#variable("order").setUint32(0, ORDER[order], true);
    this.#variable("flows").setUint32(0, flows, true);
    this.#variable("burst").setUint32(0, burst, true);
    const cpus = this.#variable("cpus");
    for (let cpu = 0; cpu < CPUS; cpu++) {
      // Any number but 0, another one a CPU.
      cpus.setBigUint64(cpu * CPU_OCTETS, 88172645463325252n + (BigInt(cpu) << 40n), true);
    }
  }

  /** Begins a generation; returns the one before, which no program writes: nobody runs one now. */
  flip(): number {
    const { generation } = this.table;
    this.table.prepare(generation + 1, 0n);
    this.table.activate(generation + 1);
    return generation;
  }

  close(): void {
    this.object.close();
  }
}
