// The product's meter without pins or interfaces: packets go in by BPF_PROG_TEST_RUN.
import { sumCounters } from "../../src/meter/counters.ts";
import { type ExportDestination, writeExports } from "../../src/meter/exports.ts";
import type { Flow } from "../../src/meter/flow.ts";
import { METER_OBJECT } from "../../src/meter/layout.ts";
import { liveFlows } from "../../src/meter/live.ts";
import { configureObject, startObject } from "../../src/meter/maps.ts";
import { bucketsFor, Table } from "../../src/meter/table.ts";
import {
  type BpfObject,
  btfLayout,
  openObject,
  type TestRunResult,
} from "../../src/native/bpf-loader/index.ts";

export interface UnpinnedOptions {
  maxFlows?: number;
  namespaces?: number[];
  /** Fewer buckets than the product would take, to fill one. */
  buckets?: number;
}

export class UnpinnedMeter {
  readonly object: BpfObject;
  readonly table: Table;
  readonly #counters: ArrayBuffer;

  constructor(o: UnpinnedOptions = {}) {
    const maxFlows = o.maxFlows ?? 4096;
    const buckets = o.buckets ?? bucketsFor(maxFlows);
    const config = { maxFlows, namespaces: o.namespaces ?? [], netns: "" };
    this.object = openObject(METER_OBJECT);
    configureObject(this.object, config);
    const at = btfLayout(METER_OBJECT, "meter_config").fields.buckets!.offset;
    new DataView(this.object.rodata()).setUint32(at, buckets, true);
    this.object.load();
    startObject(this.object, config);
    this.table = new Table(
      this.object.map("table").mmap(),
      this.object.map(".data").mmap(),
      maxFlows,
      buckets,
    );
    this.table.prepare(1, 0n);
    this.#counters = this.object.map("counters").mmap();
  }

  /** Runs one program over a packet, which must come out as it went in. */
  run(
    data: Uint8Array,
    program = "ioam_ingress",
    o: { context?: Uint8Array; repeat?: number } = {},
  ): TestRunResult {
    return this.object.program(program).testRun({ data, ...o });
  }

  setExportDestinations(destinations: readonly ExportDestination[]): void {
    writeExports(this.object.map(".data.exports").mmap(), destinations);
  }

  counters(): Record<string, bigint> {
    return sumCounters(this.#counters);
  }

  flows(): Flow[] {
    const context = { clockOffset: 0n, interfaceName: (ifindex: number) => `if${ifindex}` };
    return [...liveFlows(this.table, context)].map(({ flow }) => flow);
  }

  /** Begins a new, empty generation. Its flows still find their sequence state in the one before. */
  rotate(): void {
    const next = this.table.generation + 1;
    this.table.prepare(next, 0n);
    this.table.activate(next);
  }

  /** Empties both generations. */
  clear(): void {
    this.rotate();
    this.rotate();
  }

  close(): void {
    this.object.close();
  }
}
