// Sends the records of a file to one place: in their order, repeated, at their rates.
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { DataRecord, ExportResult, Template } from "../ipfix/index.ts";
import { type Entry, type RecordsFile, unixNanoseconds } from "./records-file.ts";

/** Takes records of one template. */
export type TakeRecords = (
  template: Template,
  records: readonly DataRecord[],
) => Promise<Pick<ExportResult, "sent" | "error">>;

/** Records that are handed over at once. */
const AT_ONCE = 1000;

/** How often a rate is looked after, in milliseconds. */
const TICK = 10;

/** Longest time of a timer, in milliseconds: a longer one would be over at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Hands over every record. Ends early, without an error, when `signal` aborts, and with one when
 * `take` has it: what is wrong with one record's way is wrong with the next one's too.
 */
export async function sendRecords(
  { entries }: Pick<RecordsFile, "entries">,
  take: TakeRecords,
  signal: AbortSignal,
): Promise<void> {
  for (const entry of entries) {
    for await (const count of portions(entry, signal)) {
      const now = unixNanoseconds();
      const records = Array.from({ length: count }, () => entry.record(now));
      const { error } = await take(entry.template, records);
      if (error !== undefined) throw error;
      // Where records are taken at once, other destinations and signals have to have their turn.
      await nextTurn();
    }
  }
}

/** How many records of an entry to send at once, each when its time has come. */
async function* portions({ repeat, rate }: Entry, signal: AbortSignal): AsyncGenerator<number> {
  const began = performance.now();
  for (let sent = 0; sent < repeat && !signal.aborted; ) {
    const due =
      rate === undefined ? repeat : 1 + Math.floor(((performance.now() - began) / 1000) * rate);
    const count = Math.min(AT_ONCE, Math.min(due, repeat) - sent);
    if (count > 0) {
      sent += count;
      yield count;
    } else {
      const next = (1000 * sent) / rate! - (performance.now() - began);
      const wait = Math.min(Math.max(TICK, Math.ceil(next)), LONGEST_TIMER);
      await sleep(wait, undefined, { signal }).catch(() => {});
    }
  }
}
