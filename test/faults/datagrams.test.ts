// Collectors over UDP that fail: nothing stalls, every record is accounted for, and what comes can be read.

import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { udpDestination } from "../../src/ipfix/index.ts";
import { closedAfterEach } from "../lab/closed-after-each.ts";
import { Collector } from "../lab/collector.ts";
import { eventually } from "../lab/eventually.ts";
import { NumberedExport, receivedNumbers } from "./numbered-export.ts";

const BATCH = 2000;
const HOST = "::1";

const opened = closedAfterEach();

async function start(port = 0): Promise<Collector> {
  return opened(await Collector.start({ address: HOST, port }));
}

function exportTo(collector: Collector): NumberedExport {
  const numbered = new NumberedExport(udpDestination({ host: HOST, port: collector.port }), {
    mtu: 1400,
  });
  opened(numbered.process);
  return numbered;
}

/** What a collector got of one sender. */
async function received(collector: Collector, messages = 1): Promise<Uint8Array> {
  return readFile((await collector.sender(messages)).file);
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

it("a collector that is killed and restarted gets templates first, and then everything", async () => {
  const first = await start();
  const healthy = await start();
  const failing = exportTo(first);
  const other = exportTo(healthy);
  for (let i = 0; i < 20; i++) await Promise.all([failing.hand(BATCH), other.hand(BATCH)]);
  await first.kill();
  await eventually("the refusal is noticed", async () => {
    await Promise.all([failing.hand(BATCH), other.hand(BATCH)]);
    return failing.process.counters.refusals > 0;
  });
  const second = await start(first.port);
  const { messages } = failing.process.counters;
  const from = failing.handed;
  for (let i = 0; i < 20; i++) await Promise.all([failing.hand(BATCH), other.hand(BATCH)]);
  // It is one session still: nobody can tell from here what the killed one had received.
  expect(failing.process.counters).toMatchObject({ sessions: 1, droppedRecords: 0 });
  const sent = failing.process.counters.messages - messages;
  const late = receivedNumbers([await received(second, sent)], { beganBefore: true });
  expect(late).toEqual(range(from, failing.handed));
  await failing.close();
  const { records } = await other.close();
  expect(receivedNumbers([await received(healthy, other.process.counters.messages)])).toEqual(
    range(0, records),
  );
});

it("a collector that is frozen stalls nobody", async () => {
  const frozen = await start();
  const healthy = await start();
  const failing = exportTo(frozen);
  const other = exportTo(healthy);
  await Promise.all([failing.hand(BATCH), other.hand(BATCH)]);
  frozen.freeze();
  for (let i = 0; i < 100; i++) await Promise.all([failing.hand(BATCH), other.hand(BATCH)]);
  expect(failing.process.counters.droppedRecords).toBe(0);
  const gotten = await received(healthy, other.process.counters.messages);
  expect(receivedNumbers([gotten])).toEqual(range(0, other.handed));
  frozen.thaw();
  // Its receive buffer is large enough for all this.
  const thawed = await received(frozen, failing.process.counters.messages);
  expect(receivedNumbers([thawed])).toEqual(range(0, failing.handed));
  await failing.close();
  await other.close();
});
