// The agent at 100 000 kernel events a second for a minute: none is lost, every one is exported.
import { expect, test } from "vitest";
import { expectAllExported, runTraceRate } from "../net/trace-rate.ts";

test("100 000 events a second for 60 s", async () => {
  const outcome = await runTraceRate(6_000_000, 100_000);
  expectAllExported(outcome, 6_000_000);
  expect(outcome.seconds).toBeLessThan(66);
});
