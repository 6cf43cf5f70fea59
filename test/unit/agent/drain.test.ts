// A sealed generation on its way to the sinks.
import { describe, expect, it } from "vitest";
import { drain } from "../../../src/agent/metering/drain.ts";
import { type Dropped, NOTHING_DROPPED, type Sink } from "../../../src/agent/sink.ts";
import { eventually } from "../../lab/eventually.ts";
import { FakeSealed } from "./sealed.ts";

const CONTEXT = {
  netns: null,
  context: {},
  flowContext: { clockOffset: 0n, interfaceName: String },
  flowEndReason: 2,
  signal: new AbortController().signal,
  keepsRest: () => false,
};

function sink(take: Sink["take"]): Sink {
  return { name: "a sink", take, close: async () => {} };
}

const taking = (dropped: Readonly<Dropped> = NOTHING_DROPPED) => {
  const sizes: number[] = [];
  const all = sink(async ({ slice }) => {
    sizes.push(slice.count);
    return dropped;
  });
  return Object.assign(all, { sizes });
};

describe("draining", () => {
  it("hands slices of at most 4096 flows to every sink and commits each", async () => {
    const fake = new FakeSealed(10_000);
    const sinks = [taking(), taking()];
    expect(await drain(fake.sealed, sinks, CONTEXT)).toBe(10_000);
    for (const one of sinks) expect(one.sizes).toEqual([4096, 4096, 1808]);
    expect(fake.commits.map((one) => one.flows)).toEqual([4096, 4096, 1808, 0]);
  });

  it("commits an empty generation: its records may all have been flushed", async () => {
    const fake = new FakeSealed(0);
    const one = taking();
    expect(await drain(fake.sealed, [one], CONTEXT)).toBe(0);
    expect(one.sizes).toEqual([]);
    expect(fake.commits).toHaveLength(1);
  });

  it("counts as dropped what no sink took", async () => {
    const dropped = (records: number) => taking({ records, packets: records, octets: 0 });
    const fake = new FakeSealed(10);
    await drain(fake.sealed, [dropped(7), dropped(3), dropped(5)], CONTEXT);
    expect(fake.commits[0]?.dropped).toMatchObject({ records: 3 });
  });

  it("commits only when the slowest sink has taken the slice", async () => {
    const fake = new FakeSealed(10);
    let release = () => {};
    const slow = sink(async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return NOTHING_DROPPED;
    });
    const done = drain(fake.sealed, [taking(), slow], CONTEXT);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(fake.commits).toEqual([]);
    release();
    await done;
    expect(fake.commits.map((one) => one.flows)).toEqual([10, 0]);
  });

  it("does not keep one sink waiting for another", async () => {
    const fake = new FakeSealed(20_000);
    const blocked = new AbortController();
    const slow = sink(async ({ slice, signal }) => {
      if (!signal.aborted)
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return { records: slice.count, packets: slice.packets, octets: slice.octets };
    });
    const quick = taking();
    const done = drain(fake.sealed, [slow, quick], { ...CONTEXT, signal: blocked.signal });
    await eventually("the quick one has all", () => quick.sizes.length === 5);
    expect(fake.commits).toEqual([]);
    blocked.abort();
    expect(await done).toBe(20_000);
    expect(fake.commits.map(({ end }) => end)).toEqual([
      4096, 8192, 12_288, 16_384, 20_000, 20_000,
    ]);
    // One of them has everything: nothing counts as dropped.
    for (const { dropped } of fake.commits) expect(dropped).toMatchObject({ records: 0 });
  });

  it("leaves in the table what no sink took in time, when it is to be kept", async () => {
    const fake = new FakeSealed(10_000);
    const late = new AbortController();
    const stuck = sink(async ({ slice }) => {
      if (slice.end <= 4096) return NOTHING_DROPPED;
      late.abort();
      return { records: slice.count, packets: slice.packets, octets: slice.octets };
    });
    const context = { ...CONTEXT, signal: late.signal, keepsRest: () => true };
    await expect(drain(fake.sealed, [stuck], context)).rejects.toMatchObject({
      code: "EXPORT_UNFINISHED",
    });
    expect(fake.commits.map(({ end }) => end)).toEqual([4096]);
  });

  it("leaves in the table what a sink failed at", async () => {
    const fake = new FakeSealed(5000);
    let calls = 0;
    const failing = sink(async () => {
      if (++calls === 2) throw new Error("broken");
      return NOTHING_DROPPED;
    });
    await expect(drain(fake.sealed, [failing], CONTEXT)).rejects.toThrow("broken");
    expect(fake.commits.map((one) => one.flows)).toEqual([4096]);
  });

  it("lets the event loop turn between slices", async () => {
    const fake = new FakeSealed(3 * 4096);
    const order: string[] = [];
    const noting = sink(async () => {
      order.push("slice");
      setImmediate(() => order.push("turn"));
      return NOTHING_DROPPED;
    });
    await drain(fake.sealed, [noting], CONTEXT);
    expect(order).toEqual(["slice", "turn", "slice", "turn", "slice", "turn"]);
  });
});
