// Sends wire cases past an observation point and compares what the meter makes of each.
import { expect } from "vitest";
import type { Meter } from "../../src/meter/index.ts";
import { eventually } from "../lab/eventually.ts";
import {
  flowKey,
  type ObservationPoint,
  type Reported,
  reportedFlow,
} from "../lab/reported-flow.ts";
import type { WireCase } from "../lab/wire-case.ts";

/** Sends packets so that each passes the observation point once. */
export type Send = (...packets: Uint8Array[]) => Promise<void>;

type Counters = Record<string, number>;

class WireRun {
  readonly #meter: Meter;
  readonly #at: ObservationPoint;
  readonly #send: Send;

  constructor(meter: Meter, at: ObservationPoint, send: Send) {
    this.#meter = meter;
    this.#at = at;
    this.#send = send;
  }

  /** Sends and waits until all have passed; by how much each counter went up. */
  async #pass(cases: WireCase[]): Promise<Counters> {
    const before = this.#meter.counters();
    await this.#send(...cases.map((one) => one.octets));
    const all = before.packets! + BigInt(cases.length);
    await eventually("every packet has passed", () => this.#meter.counters().packets === all, {
      every: 1,
    });
    const changed: Counters = {};
    for (const [name, value] of Object.entries(this.#meter.counters())) {
      const by = Number(value - before[name]!);
      if (by !== 0) changed[name] = by;
    }
    return changed;
  }

  /** A packet that makes no flow: the counters say what it was. */
  async single(one: WireCase): Promise<void> {
    const changed = await this.#pass([one]);
    const wanted: Counters = { packets: 1 };
    const count = (name: string, by: number): void => {
      if (by !== 0) wanted[name] = by;
    };
    if (one.expect.kind === "malformed") {
      const { octets } = one.expect;
      Object.assign(wanted, { dexPackets: 1, dexMalformed: 1, ioamPackets: 1 });
      Object.assign(wanted, { dexOctets: octets, dexMalformedOctets: octets });
    } else if (one.expect.kind === "malformed options") {
      count("optionsMalformed", 1);
    } else if (one.expect.kind === "no dex") {
      const { trace, other } = one.expect;
      count("ioamPackets", trace + other > 0 ? 1 : 0);
      count("ioamTrace", trace);
      count("ioamOther", other);
    }
    expect(changed, one.name).toMatchObject(wanted);
    expect(this.#meter.flows(), one.name).toBe(0);
  }

  /** Packets of different flows at once, and each makes its flow. */
  async wave(cases: Map<string, WireCase>): Promise<void> {
    const changed = await this.#pass([...cases.values()]);
    expect(changed).toMatchObject({ ioamPackets: cases.size, dexPackets: cases.size });
    const found = new Map<string, Reported>();
    for (const flow of this.#meter.dump()) {
      const { flowStartMilliseconds: start, flowEndMilliseconds: end, ...reported } = flow;
      expect(end).toBe(start);
      found.set(flowKey(reported), reported);
    }
    let octets = 0;
    let further = 0;
    for (const [key, { name, expect: wanted }] of cases) {
      if (wanted.kind !== "flow") continue;
      octets += wanted.flow.octets;
      further += wanted.further;
      expect(found.get(key), name).toEqual(reportedFlow(wanted.flow, this.#at));
    }
    expect(found.size).toBe(cases.size);
    expect(changed.dexOctets).toBe(octets);
    expect(changed.dexFurtherOptions ?? 0).toBe(further);
    await this.#forget();
  }

  /** Empties the table, and after a generation without packets nobody carries on from it. */
  async #forget(): Promise<void> {
    for (let i = 0; i < 2; i++) {
      const sealed = await this.#meter.rotate();
      const reader = sealed.reader();
      let slice = reader.next(4096);
      for (; slice.count > 0; slice = reader.next(4096)) sealed.commit(slice);
      sealed.commit(slice);
    }
  }
}

/** Runs every case; those of one flow (one key) one after another, each with an empty table. */
export async function runWireCases(
  meter: Meter,
  at: ObservationPoint,
  cases: WireCase[],
  send: Send,
): Promise<void> {
  const run = new WireRun(meter, at, send);
  const waves: Map<string, WireCase>[] = [];
  for (const one of cases) {
    if (one.expect.kind !== "flow") {
      await run.single(one);
      continue;
    }
    const key = flowKey(reportedFlow(one.expect.flow, at));
    let wave = waves.find((candidate) => !candidate.has(key));
    if (wave === undefined) {
      wave = new Map();
      waves.push(wave);
    }
    wave.set(key, one);
  }
  for (const wave of waves) await run.wave(wave);
}
