// The agent at 100 000 kernel events a second for a minute: none is lost, every one is exported.
import { test } from "vitest";
import { expectAllExported, runTraceRate } from "../net/trace-rate.ts";

const EVENTS = 6_000_000;

test("100 000 events a second for 60 s", async () => {
  const outcome = await runTraceRate(EVENTS, 100_000);
  expectAllExported(outcome, EVENTS);
  // A machine with other work may send more slowly: exact all the same, but no proof of the rate.
  const { seconds } = outcome;
  const rate = Math.round(EVENTS / seconds)
    .toLocaleString("en")
    .replaceAll(",", " ");
  console.info(`${rate} events a second for ${seconds.toFixed(1)} s, none lost, all exported`);
});
