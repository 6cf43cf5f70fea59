// From a full table to the socket: the product's drain and exporting process, a receiver on another CPU.

import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { type DrainContext, drain } from "../src/agent/metering/drain.ts";
import { type Batch, type Dropped, NOTHING_DROPPED, type Sink } from "../src/agent/sink.ts";
import { flowTemplates } from "../src/agent/templates/flow-template.ts";
import {
  compileEncoder,
  DEFAULT_ENTERPRISE_NUMBERS,
  type Destination,
  ElementRegistry,
  ExportingProcess,
  ioamElements,
  udpDestination,
} from "../src/ipfix/index.ts";
import { layoutOf } from "../src/meter/layout.ts";
import { SealedGeneration } from "../src/meter/sealed.ts";
import { clockOffset } from "../src/native/bpf-loader/index.ts";
import { BenchObject } from "./bench-object.ts";
import { MEASURED_CPU, pin } from "./cpus.ts";
import { NOWHERE } from "./nowhere.ts";
import { dexPacket } from "./packet.ts";
import { Receiver } from "./receiver.ts";
import { Measurements } from "./result.ts";

/** How many flows, and how many drains of so many are measured. */
const SIZES = [
  [1_000, 60],
  [10_000, 30],
  [100_000, 15],
  [1_000_000, 9],
] as const;
const CAPACITY = 1_000_000;
/** Octets of a packet: an Ethernet's, since on loopback messages could be longer. */
const MTU = 1500;
const SLICE = 4096;
const ROUNDS = 9;
/** Few enough for the receiver to keep up: memory of packets that wait for it is another matter. */
const SINGLE = 10_000;
/** Milliseconds between two looks at the event loop. */
const RESOLUTION = 1;

const OFFSET = clockOffset().realtimeMinusMonotonicNs;
const SHARED: DrainContext = {
  netns: null,
  flowEndReason: 2,
  context: { clockOffset: OFFSET, values: { flowEndReason: 2, ioamNodeId: 1 } },
  flowContext: { clockOffset: OFFSET, interfaceName: String },
  signal: new AbortController().signal,
  keepsRest: () => false,
};

const encoders = () => {
  const registry = new ElementRegistry(ioamElements(DEFAULT_ENTERPRISE_NUMBERS));
  return flowTemplates(registry).map((template) =>
    compileEncoder(template, layoutOf("flow_record")),
  );
};

/** A collector as the agent has it, without its log, and the receiver that it sends to. */
class Collector implements Sink {
  readonly name = "receiver";
  readonly #session: ExportingProcess;
  readonly #receiver: Receiver | undefined;

  constructor(destination: Destination, receiver?: Receiver) {
    const options = { destination, observationDomainId: 1, encoders: encoders(), mtu: MTU };
    this.#session = new ExportingProcess(options);
    this.#receiver = receiver;
  }

  static async open(gro: boolean): Promise<Collector> {
    const receiver = await Receiver.start({ transport: gro ? "udp-gro" : "udp" });
    return new Collector(udpDestination({ host: "::1", port: receiver.port }), receiver);
  }

  async take({ sealed, slice, context }: Batch): Promise<Readonly<Dropped>> {
    const { offsets, count, kinds } = slice;
    const { sent, error } = await this.#session.export(
      sealed.buffer,
      offsets,
      count,
      kinds,
      context,
    );
    if (sent < count) throw error ?? new Error(`${count - sent} records were not sent`);
    return NOTHING_DROPPED;
  }

  /** Waits until everything sent was received; fails when it was not. */
  async received(): Promise<void> {
    const { records, messages } = this.#session.counters;
    const counts = await this.#receiver?.caughtUp(records);
    if (counts && counts.messages !== messages) throw new Error("messages were lost");
  }

  async close(): Promise<void> {
    this.#session.close();
    await this.#receiver?.stop();
  }
}

/** A generation of so many flows, each of one packet, sealed. */
async function fill(bench: BenchObject, flows: number): Promise<SealedGeneration> {
  bench.expect({ order: "alwaysNew" });
  await bench.program("metered").testRunAsync({ data: dexPacket(), repeat: flows });
  const generation = bench.flip();
  if (bench.table.count(generation) !== flows) throw new Error(`there are not ${flows} flows`);
  return new SealedGeneration(bench.table, bench.ledger, generation);
}

async function timePerFlow(flows: number, action: () => unknown): Promise<number> {
  const start = performance.now();
  await action();
  return ((performance.now() - start) * 1e6) / flows;
}

async function measureDrain(
  m: Measurements,
  bench: BenchObject,
  collector: Collector,
  flows: number,
  name: string,
): Promise<void> {
  const sealed = await fill(bench, flows);
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  delay.enable();
  await sleep(5 * RESOLUTION);
  delay.reset(); // what filling left for the event loop to do is no part of the drain
  m.add(
    `export.${name}`,
    "ns/flow",
    await timePerFlow(flows, () => drain(sealed, [collector], SHARED)),
  );
  await sleep(2 * RESOLUTION);
  delay.disable();
  if (flows === CAPACITY)
    m.addPeak("export.still", "ms", Math.max(0, delay.max / 1e6 - RESOLUTION));
  await collector.received();
}

/** The same records again and again, `flows` in all: from layout to socket, without the table. */
async function exportAgain(sealed: SealedGeneration, sink: Sink, flows: number): Promise<number> {
  const slice = sealed.reader().next(SLICE);
  const batch: Batch = { ...SHARED, sealed, slice };
  const times = Math.ceil(flows / slice.count);
  return timePerFlow(times * slice.count, async () => {
    for (let i = 0; i < times; i++) await sink.take(batch);
  });
}

/** What the drain reads and computes, without exporting. */
function resolve(sealed: SealedGeneration): void {
  const reader = sealed.reader();
  while (reader.next(SLICE).count > 0);
}

/** Measures drains of each size, and what they consist of. */
export async function benchDrains(m: Measurements): Promise<void> {
  pin(process.pid, MEASURED_CPU);
  const [single, gro] = [await Collector.open(false), await Collector.open(true)];
  const nowhere = new Collector(NOWHERE);
  const bench = new BenchObject("table", CAPACITY);

  // Compiled by the engine before anything is measured.
  for (let i = 0; i < 3; i++) {
    await measureDrain(new Measurements(), bench, gro, 100_000, "");
    await exportAgain(await fill(bench, SLICE), nowhere, 100_000);
  }
  for (const [flows, rounds] of SIZES) {
    for (let round = 0; round < rounds; round++) {
      await measureDrain(m, bench, gro, flows, `flows.${flows}`);
    }
  }
  for (let round = 0; round < ROUNDS; round++) {
    await measureDrain(m, bench, single, SINGLE, "single");
    const encode = await exportAgain(await fill(bench, SLICE), nowhere, 400_000);
    m.add("export.encode", "ns/flow", encode);
    const all = await fill(bench, CAPACITY);
    m.add("export.resolve", "ns/flow", await timePerFlow(CAPACITY, () => resolve(all)));
  }
  for (const collector of [single, gro, nowhere]) await collector.close();
  bench.close();
}
