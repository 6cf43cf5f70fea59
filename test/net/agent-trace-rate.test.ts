// The agent at high rates of kernel events: none is lost at 100 000/s, and all are accounted for beyond.
import { expect, test } from "vitest";
import { expectAllExported, runTraceRate } from "./trace-rate.ts";

test("100 000 events a second for 10 s: none lost, all exported", async () => {
  const outcome = await runTraceRate(1_000_000, 100_000);
  expectAllExported(outcome, 1_000_000);
});

test("as fast as the router forwards: received + dropped = sent, and what was received is exported", async () => {
  const { received, counters, collected } = await runTraceRate(2_000_000);
  const { netlinkEvents, netlinkDrops, netlinkMalformed } = counters;
  expect(netlinkMalformed).toBe(0);
  expect(netlinkEvents + netlinkDrops).toBe(received);
  expect(counters).toMatchObject({
    traceRecords: netlinkEvents,
    exportedTraceRecords: netlinkEvents,
    droppedTraceRecords: 0,
  });
  expect(collected).toMatchObject({ records: netlinkEvents, gaps: [], unknownSets: 0 });
});
