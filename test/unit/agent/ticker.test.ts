// Even intervals: no drift, no overlap.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { startTicker } from "../../../src/agent/ticker.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

it("ticks at multiples of the period, however long a tick takes", async () => {
  const start = performance.now();
  const times: number[] = [];
  const ticker = startTicker(100, async () => {
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 30));
  });
  await vi.advanceTimersByTimeAsync(450);
  ticker.stop();
  await vi.advanceTimersByTimeAsync(1000);
  expect(times).toEqual([100, 200, 300, 400]);
});

it("skips the times that pass during a long tick", async () => {
  const start = performance.now();
  const times: number[] = [];
  let running = 0;
  const ticker = startTicker(100, async () => {
    times.push(performance.now() - start);
    expect(++running).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 250));
    running--;
  });
  await vi.advanceTimersByTimeAsync(1000);
  ticker.stop();
  expect(times).toEqual([100, 400, 700, 1000]);
});

it("does not tick twice for one time when a timer fires early", async () => {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  let ticks = 0;
  const ticker = startTicker(100, async () => {
    ticks++;
  });
  now = 99.9;
  await vi.advanceTimersByTimeAsync(100);
  expect(ticks).toBe(1);
  await vi.advanceTimersByTimeAsync(50);
  expect(ticks).toBe(1);
  now = 200;
  await vi.advanceTimersByTimeAsync(60);
  expect(ticks).toBe(2);
  ticker.stop();
});

it("stops during a tick", async () => {
  let ticks = 0;
  const ticker = startTicker(100, async () => {
    ticks++;
    ticker.stop();
  });
  await vi.advanceTimersByTimeAsync(1000);
  expect(ticks).toBe(1);
});
