// The console as a sink: a reader may go away.
import { expect, it } from "vitest";
import type { Batch } from "../../../src/agent/sink.ts";
import { ConsoleSink } from "../../../src/agent/sinks/console-sink.ts";
import { FakeSealed } from "./sealed.ts";

function batch(): Batch {
  const fake = new FakeSealed(0);
  const slice = { ...fake.reader().next(0), packets: 7, octets: 700 };
  const flowContext = { clockOffset: 0n, interfaceName: String };
  const { signal } = new AbortController();
  const shared = { netns: null, context: {}, flowContext, flowEndReason: 2, signal };
  return { ...shared, sealed: fake.sealed, slice };
}

it("drops and says so once when nobody reads any more", async () => {
  let reading = true;
  let closed = 0;
  let printed = 0;
  const print = async () => {
    printed++;
    return reading;
  };
  const sink = new ConsoleSink({ flows: print, traces: print }, () => {
    closed++;
  });
  expect(await sink.take(batch())).toEqual({ records: 0, packets: 0, octets: 0 });
  reading = false;
  for (let i = 0; i < 3; i++) {
    expect(await sink.take(batch())).toEqual({ records: 0, packets: 7, octets: 700 });
  }
  expect({ closed, printed }).toEqual({ closed: 1, printed: 2 });
});

it("fails when printing fails otherwise: the flows stay in the table", async () => {
  const sink = new ConsoleSink(
    { flows: () => Promise.reject(new Error("ENOSPC")), traces: async () => true },
    () => {},
  );
  await expect(sink.take(batch())).rejects.toThrow("ENOSPC");
});
