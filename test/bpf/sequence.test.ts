// Loss, reordering and duplicates against a model with an unbounded memory, over rotations and CPUs.
import { availableParallelism } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Flow } from "../../src/meter/flow.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { packetOctets } from "../lab/packet.ts";
import { UnpinnedMeter } from "./unpinned-meter.ts";

let meter: UnpinnedMeter;
beforeAll(() => {
  meter = new UnpinnedMeter();
});
afterAll(() => meter.close());

const PACKET = packetOctets(dexPacket({ sequence: 0xa1b2c3d4 }));
const SEQUENCE_AT = Buffer.from(PACKET).indexOf(Buffer.from([0xa1, 0xb2, 0xc3, 0xd4]));

function packet(sequence: number): Uint8Array {
  const octets = PACKET.slice();
  new DataView(octets.buffer).setUint32(SEQUENCE_AT, sequence >>> 0);
  return octets;
}

/** One step of a test: a packet (on some CPU), or a rotation. */
type Step = { sequence: number; cpu?: number } | "rotate";

interface Totals {
  packets: number;
  lost: number;
  expected: number;
  reordered: number;
  duplicates: number;
}

function add(totals: Totals, flow: Flow): void {
  totals.packets += Number(flow.packetDeltaCount);
  totals.lost += Number(flow.ioamLostPacketCount);
  totals.expected += Number(flow.ioamExpectedPacketCount);
  totals.reordered += Number(flow.ioamReorderedPacketCount);
  totals.duplicates += Number(flow.ioamDuplicatePacketCount);
}

/** Runs the steps; the record of each interval, in order. */
async function run(steps: Step[]): Promise<Flow[]> {
  meter.clear();
  const intervals: Flow[] = [];
  const program = meter.object.program("ioam_ingress");
  const seal = (): void => {
    // Only the active generation: the one before was taken when it was sealed.
    const { generation } = meter.table;
    meter.table.setCursor(generation - 1, meter.table.count(generation - 1));
    intervals.push(...meter.flows());
  };
  for (const step of steps) {
    if (step === "rotate") {
      seal();
      meter.rotate();
    } else if (step.cpu === undefined) {
      meter.run(packet(step.sequence));
    } else {
      await program.testRunAsync({ data: packet(step.sequence), affinity: step.cpu });
    }
  }
  seal();
  return intervals;
}

function sum(flows: Flow[]): Totals {
  const totals = { packets: 0, lost: 0, expected: 0, reordered: 0, duplicates: 0 };
  for (const flow of flows) add(totals, flow);
  return totals;
}

/** What docs/sequence.md says, with a set of all numbers instead of a window. */
function model(steps: Step[]): Totals {
  const seen = new Set<number>();
  let first: number | undefined;
  let highest = 0;
  let rotated = false;
  const totals = { packets: 0, lost: 0, expected: 0, reordered: 0, duplicates: 0 };
  for (const step of steps) {
    if (step === "rotate") {
      rotated = first !== undefined;
      continue;
    }
    const { sequence } = step;
    totals.packets++;
    if (seen.has(sequence)) totals.duplicates++;
    else if (first !== undefined && sequence < highest) totals.reordered++;
    seen.add(sequence);
    if (first === undefined || (!rotated && sequence < first)) first = sequence;
    highest = Math.max(highest, sequence);
  }
  totals.expected = first === undefined ? 0 : highest - first + 1;
  totals.lost = totals.expected - (totals.packets - totals.duplicates);
  return totals;
}

function numbers(...list: number[]): Step[] {
  return list.map((sequence) => ({ sequence }));
}

describe("one interval", () => {
  test.each([
    ["in order", [1, 2, 3], { lost: 0, reordered: 0, duplicates: 0 }],
    ["a loss", [1, 2, 4], { lost: 1, reordered: 0, duplicates: 0 }],
    ["late", [1, 3, 2], { lost: 0, reordered: 1, duplicates: 0 }],
    ["the lowest comes late", [2, 1, 3], { lost: 0, reordered: 1, duplicates: 0 }],
    ["a duplicate at once", [1, 1, 2], { lost: 0, reordered: 0, duplicates: 1 }],
    ["a duplicate later", [1, 2, 3, 1], { lost: 0, reordered: 0, duplicates: 1 }],
    ["96 behind is still told apart", [1, 97, 1, 2], { lost: 94, reordered: 1, duplicates: 1 }],
    ["a loss of a million", [1, 1_000_001], { lost: 999_999, reordered: 0, duplicates: 0 }],
  ])("%s", async (_, sequence, wanted) => {
    const [flow, ...rest] = await run(numbers(...sequence));
    expect(rest).toEqual([]);
    expect(sum([flow!])).toMatchObject(wanted);
    expect(flow!.ioamSequenceNumberLowest).toBe(Math.min(...sequence));
    expect(flow!.ioamSequenceNumberHighest).toBe(Math.max(...sequence));
  });

  test("numbers wrap at 2^32", async () => {
    const [flow] = await run(numbers(0xfffffffe, 0xffffffff, 0, 2, 1, 1));
    expect(sum([flow!])).toEqual({ packets: 6, lost: 0, expected: 5, reordered: 1, duplicates: 1 });
    expect(flow!.ioamSequenceNumberLowest).toBe(0xfffffffe);
    expect(flow!.ioamSequenceNumberHighest).toBe(2);
  });

  test("a sequence that starts anew is no loss (RFC 3550, A.1)", async () => {
    const before = Array.from({ length: 500 }, (_, i) => 1_000_000 + i);
    const after = Array.from({ length: 100 }, (_, i) => i);
    const [flow] = await run(numbers(...before, ...after));
    expect(sum([flow!])).toEqual({
      packets: 600,
      lost: 0,
      expected: 600,
      reordered: 0,
      duplicates: 0,
    });
    expect(flow!.ioamSequenceNumberHighest).toBe(99);
  });

  test("one packet far behind is late, not a new beginning", async () => {
    const [flow] = await run(numbers(5000, 5001, 17, 5002, 5003));
    expect(sum([flow!])).toMatchObject({ packets: 5, expected: 4, reordered: 1, duplicates: 0 });
  });
});

describe("over rotations", () => {
  test.each([
    ["a loss", [1, 2, "r", 4, 5], { lost: 1, reordered: 0, duplicates: 0 }],
    ["late in the next interval", [1, 3, "r", 2, 4], { lost: 0, reordered: 1, duplicates: 0 }],
    [
      "a duplicate of the interval before",
      [1, 2, "r", 2, 3],
      { lost: 0, reordered: 0, duplicates: 1 },
    ],
    ["only late packets in an interval", [1, 5, "r", 2, 3, 4, "r", 6], { lost: 0, reordered: 3 }],
    ["three intervals", [1, 2, "r", 3, "r", 7, 5], { lost: 2, reordered: 1, duplicates: 0 }],
  ])("%s", async (_, list, wanted) => {
    const steps = list.map((one): Step => (typeof one === "number" ? { sequence: one } : "rotate"));
    expect(sum(await run(steps))).toMatchObject(wanted);
  });

  test("an interval that only receives late packets reports them below zero", async () => {
    const [first, second] = await run([...numbers(1, 5), "rotate", ...numbers(2, 3)]);
    expect(first!.ioamLostPacketCount).toBe(3n);
    expect(second).toMatchObject({
      ioamLostPacketCount: -2n,
      ioamExpectedPacketCount: 0n,
      ioamSequenceNumberLowest: 2,
      ioamSequenceNumberHighest: 3,
    });
  });
});

describe("against the model", () => {
  const cpus = availableParallelism();

  /** A stream with losses, swaps and duplicates no further apart than the window surely holds. */
  function stream(seed: number, length: number, withCpus: boolean): Step[] {
    let x = seed;
    const random = (below: number): number => {
      x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
      return Math.floor((x / 2 ** 32) * below);
    };
    const steps: Step[] = [];
    let next = 1000;
    let cpu = 0;
    for (let i = 0; i < length; i++) {
      const kind = random(20);
      if (random(15) === 0) cpu = random(cpus);
      const put = (sequence: number): void => {
        steps.push(withCpus ? { sequence, cpu } : { sequence });
      };
      if (kind === 0) next += 1 + random(3);
      else if (kind === 1 && next > 1000) put(Math.max(1000, next - 1 - random(90)));
      else if (kind === 2) {
        put(next + 1);
        put(next);
        next += 2;
      } else if (kind === 3 && random(3) === 0) steps.push("rotate");
      else put(next++);
    }
    return steps;
  }

  /** A flow that is quiet for a whole interval loses its state: no two rotations in a row. */
  function quietFree(steps: Step[]): Step[] {
    return steps.filter((step, i) => step !== "rotate" || (i > 0 && steps[i - 1] !== "rotate"));
  }

  test.each(Array.from({ length: 40 }, (_, i) => i + 1))("stream %i on one CPU", async (seed) => {
    const steps = quietFree(stream(seed * 7919, 800, false));
    expect(sum(await run(steps))).toEqual(model(steps));
  });

  test.each(Array.from({ length: 8 }, (_, i) => i + 1))("stream %i over CPUs", async (seed) => {
    const steps = quietFree(stream(seed * 104729, 400, true));
    const flows = await run(steps);
    expect(sum(flows)).toEqual(model(steps));
    // Merged over CPUs: one record an interval.
    expect(flows.length).toBe(1 + steps.filter((step) => step === "rotate").length);
  });
});
