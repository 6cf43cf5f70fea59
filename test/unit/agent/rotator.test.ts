// When a meter rotates, and what becomes of failures. The meter is made up.
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Rotator } from "../../../src/agent/metering/rotator.ts";
import { NOTHING_DROPPED, type Sink } from "../../../src/agent/sink.ts";
import type { Meter } from "../../../src/meter/index.ts";
import { FakeSealed } from "./sealed.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

class FakeMeter {
  readonly netns = "blue";
  readonly maxFlows = 100;
  readonly rotations: boolean[] = [];
  inTable = 0;
  /** Flows of a sealed generation that were not exported. */
  left = 0;
  filling = () => {};

  used(): number {
    return this.inTable;
  }
  async pending(): Promise<FakeSealed | undefined> {
    return this.left === 0 ? undefined : new FakeSealed(this.left);
  }
  async rotate(early = false): Promise<FakeSealed> {
    this.rotations.push(early);
    this.left = this.inTable;
    this.inTable = 0;
    return new FakeSealed(this.left);
  }
  onFilling(callback: () => void): { close(): void } {
    this.filling = callback;
    return { close: () => {} };
  }
  nodeIds(): object {
    return {};
  }
  interfaceNames(): (ifindex: number) => string {
    return String;
  }
}

function setUp(take: Sink["take"] = async () => NOTHING_DROPPED) {
  const meter = new FakeMeter();
  const reasons: number[] = [];
  const sink: Sink = {
    name: "a sink",
    take: async (batch) => {
      const dropped = await take(batch);
      reasons.push(batch.flowEndReason);
      meter.left = 0;
      return dropped;
    },
    close: async () => {},
  };
  const lines: string[] = [];
  const log = pino({ level: "info" }, { write: (line) => void lines.push(line) });
  const rotator = new Rotator(meter as unknown as Meter, () => [sink], log);
  return { meter, reasons, rotator, lines };
}

/** Time passes, and what was begun gets on. */
async function pass(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
}

describe("a rotator", () => {
  it("rotates every period while there is something in the table", async () => {
    const { meter, reasons, rotator } = setUp();
    rotator.start(1000, () => true);
    await pass(1000);
    expect(meter.rotations).toEqual([]);
    meter.inTable = 5;
    await pass(1000);
    meter.inTable = 5;
    await pass(1000);
    expect(meter.rotations).toEqual([false, false]);
    expect(reasons).toEqual([2, 2]);
    rotator.stop();
    meter.inTable = 5;
    await pass(5000);
    expect(meter.rotations).toHaveLength(2);
  });

  it("rotates every period also when a collector takes nothing in all of it", async () => {
    const { meter, rotator } = setUp(async ({ signal }) => {
      await new Promise((resolve) => signal?.addEventListener("abort", resolve, { once: true }));
      return NOTHING_DROPPED;
    });
    rotator.start(4000, () => true);
    for (let count = 1; count <= 5; count++) {
      meter.inTable = 5;
      await pass(4000);
      expect(meter.rotations).toHaveLength(count);
    }
    rotator.stop();
  });

  it("rotates early when the table is filling, once", async () => {
    const { meter, reasons, rotator } = setUp();
    rotator.start(10_000, () => true);
    await pass(0);
    meter.inTable = 75;
    meter.filling();
    meter.filling();
    await pass(0);
    expect(meter.rotations).toEqual([true]);
    expect(reasons).toEqual([5]);
    // A notice of the generation before, which came late.
    meter.filling();
    await pass(0);
    expect(meter.rotations).toHaveLength(1);
    rotator.stop();
  });

  it("rotates at once when the table is filling already, and finishes what was left first", async () => {
    const { meter, reasons, rotator } = setUp();
    meter.left = 3;
    meter.inTable = 80;
    rotator.start(10_000, () => true);
    await pass(0);
    expect(reasons).toEqual([2, 5]);
    rotator.stop();
  });

  it("does not rotate when it is told not to", async () => {
    const { meter, rotator } = setUp();
    meter.inTable = 5;
    rotator.start(1000, () => false);
    await pass(3000);
    expect(meter.rotations).toEqual([]);
    rotator.stop();
  });

  it("tries again after a failure, and logs it once a minute", async () => {
    let broken = true;
    const { meter, reasons, rotator, lines } = setUp(async () => {
      if (broken) throw new Error("broken");
      return NOTHING_DROPPED;
    });
    meter.inTable = 5;
    rotator.start(1000, () => true);
    await pass(1000);
    await pass(1000);
    await pass(1000);
    expect(meter.rotations).toHaveLength(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("broken");
    broken = false;
    await pass(1000);
    expect(reasons).toEqual([2]);
    rotator.stop();
  });

  it("exports everything at the end, as ended by force", async () => {
    const { meter, reasons, rotator } = setUp();
    rotator.start(10_000, () => true);
    await pass(0);
    meter.inTable = 5;
    rotator.stop();
    await rotator.finish();
    expect(reasons).toEqual([4]);
  });

  it("rejects when the end could not be exported", async () => {
    const { meter, rotator } = setUp(async () => {
      throw new Error("broken");
    });
    meter.inTable = 5;
    rotator.stop();
    await expect(rotator.finish()).rejects.toThrow("broken");
  });
});
