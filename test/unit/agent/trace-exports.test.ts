// Trace records on their way to several sinks: who is slow holds up no other, and everything is counted.
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { LimitedLog } from "../../../src/agent/limited-log.ts";
import type { TraceBatch, TraceSink } from "../../../src/agent/sink.ts";
import { TraceExports } from "../../../src/agent/trace/trace-exports.ts";
import { newTraceCounts, TraceIds, TraceRecords } from "../../../src/agent/trace/trace-records.ts";
import { LINUX_TIMESTAMPS } from "../../../src/ioam/index.ts";

function setUp(...takes: TraceSink["takeTraces"][]) {
  const counts = newTraceCounts();
  let made = 0;
  const exports = new TraceExports({
    netns: "blue",
    make: () => {
      made++;
      return new TraceRecords(LINUX_TIMESTAMPS, new TraceIds(), counts);
    },
    sinks: () => takes.map((takeTraces) => ({ takeTraces })),
    troubles: new LimitedLog(pino({ level: "silent" })),
    settled: () => {},
  });
  return { exports, made: () => made };
}

/** Hands over a buffer with so many records. */
async function hand(exports: TraceExports, count: number): Promise<void> {
  exports.filling.count = count;
  await exports.next();
}

const takesAll = async (): Promise<number> => 0;

/** Takes nothing until its batch is given up. */
const stuck = ({ records, signal }: TraceBatch): Promise<number> => {
  const { count } = records;
  return new Promise((resolve) => {
    if (signal.aborted) resolve(count);
    else signal.addEventListener("abort", () => resolve(count));
  });
};

describe("trace records", () => {
  it("need one buffer when every sink takes them at once", async () => {
    const { exports, made } = setUp(takesAll, takesAll);
    for (let i = 0; i < 100; i++) await hand(exports, 10);
    await exports.idle();
    expect([exports.exported, exports.dropped, made()]).toEqual([1000, 0, 1]);
  });

  it("reach the others while one sink takes nothing; the buffers are eight at most", async () => {
    let taken = 0;
    const { exports, made } = setUp(stuck, async ({ records }) => {
      taken += records.count;
      return 0;
    });
    for (let i = 0; i < 100; i++) await hand(exports, 10);
    expect([taken, made()]).toEqual([1000, 8]);
    exports.giveUp();
    await exports.idle();
    // One of the sinks has them all: nothing counts as dropped.
    expect([exports.exported, exports.dropped]).toEqual([1000, 0]);
  });

  it("that no sink takes are dropped, each counted once", async () => {
    const { exports } = setUp(stuck, stuck);
    for (let i = 0; i < 20; i++) await hand(exports, 10);
    exports.giveUp();
    await exports.idle();
    expect([exports.exported, exports.dropped]).toEqual([0, 200]);
  });

  it("are counted as the sink that took most has them; one that fails took none", async () => {
    const { exports } = setUp(
      async () => 3,
      async () => 7,
      async () => Promise.reject(new Error("broken")),
    );
    await hand(exports, 10);
    await exports.idle();
    expect([exports.exported, exports.dropped]).toEqual([7, 3]);
  });
});
