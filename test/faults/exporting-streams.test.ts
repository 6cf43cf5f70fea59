// An exporting process whose collector over TCP or TLS fails: nothing stalls, nothing grows, every record is accounted for.

import { readFile } from "node:fs/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Destination, tcpDestination, tlsDestination } from "../../src/ipfix/index.ts";
import { Authority } from "../lab/certificates.ts";
import { closedAfterEach } from "../lab/closed-after-each.ts";
import { eventually } from "../lab/eventually.ts";
import { StreamCollector, type StreamConnection } from "../lab/stream-collector.ts";
import { expectAscending, NumberedExport, receivedNumbers } from "./numbered-export.ts";

const BATCH = 2000;

/** Octets of one send, of which a session that ends may repeat some in the next. */
const SEND = 65_507;
const RECORD = 64;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

let authority: Authority;
beforeAll(async () => {
  authority = await Authority.create();
  await authority.issue("collector", { names: "IP:127.0.0.1" });
  await authority.issue("router");
});
afterAll(() => authority?.close());

const opened = closedAfterEach();

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe.each(["tcp", "tls"] as const)("over %s", (protocol) => {
  const start = async (port?: number): Promise<StreamCollector> => {
    const tls = { ...authority.identity("collector"), ca: authority.cert };
    return opened(
      await StreamCollector.start({
        // Small, so that a slow reader is felt soon.
        receiveBuffer: 65_536,
        ...(port === undefined ? {} : { port }),
        ...(protocol === "tls" ? { tls } : {}),
      }),
    );
  };

  const to = ({ address, port }: StreamCollector): Destination => {
    const options = { host: address, port, retry: { first: 20, most: 20 } };
    if (protocol === "tcp") return tcpDestination(options);
    return tlsDestination({ ...options, ...authority.identity("router"), ca: authority.cert });
  };

  const exportTo = (collector: StreamCollector): NumberedExport => {
    const numbered = new NumberedExport(to(collector));
    opened(numbered.process);
    return numbered;
  };

  const list = (collector: StreamCollector) => collector.order({ command: "list" });

  /** The numbers of each session, ascending in each. */
  const numbersOf = (connections: readonly StreamConnection[]): Promise<number[][]> =>
    Promise.all(
      connections.map(async ({ file }) => {
        const numbers = receivedNumbers([await readFile(file)]);
        expectAscending(numbers);
        return numbers;
      }),
    );

  /** The same once all sessions have ended. */
  const received = async (collector: StreamCollector): Promise<number[][]> => {
    const connections = await eventually("all sessions have ended", async () => {
      const all = await list(collector);
      return all.every(({ state }) => state !== "open") && all;
    });
    return numbersOf(connections);
  };

  it("a collector that is killed and restarted gets a session that stands by itself", async () => {
    const first = await start();
    const healthy = await start();
    const failing = exportTo(first);
    const other = exportTo(healthy);
    for (let i = 0; i < 20; i++) await Promise.all([failing.hand(BATCH), other.hand(BATCH)]);
    const connections = await list(first);
    await first.process.stop("SIGKILL");
    // Nobody listens: records are given up, and the other collector gets its own.
    for (let i = 0; i < 20; i++) await Promise.all([failing.hand(BATCH, 20), other.hand(BATCH)]);
    await eventually("the loss is noticed", () => failing.process.state !== "connected");
    expect(await failing.hand(BATCH, 20)).toMatchObject({ sent: 0 });
    const second = await start(first.port);
    // Without a limit of time these wait for the new session.
    for (let i = 0; i < 20; i++) await Promise.all([failing.hand(BATCH), other.hand(BATCH)]);
    const { records, droppedRecords } = await failing.close();
    expect(failing.process.counters.sessions).toBe(2);
    expect(droppedRecords).toBeGreaterThanOrEqual(BATCH);
    const sessions = [...(await numbersOf(connections)), ...(await received(second))];
    expectCounted(sessions, records);
    expect(sessions.at(-1)!.slice(-20 * BATCH)).toEqual(range(failing.handed).slice(-20 * BATCH));
    await other.close();
    expect(await received(healthy)).toEqual([range(other.handed)]);
  });

  it("a collector that is frozen costs what is given up meanwhile, and nothing more", async () => {
    const frozen = await start();
    const healthy = await start();
    const failing = exportTo(frozen);
    const other = exportTo(healthy);
    for (let i = 0; i < 5; i++) await Promise.all([failing.hand(BATCH), other.hand(BATCH)]);
    frozen.process.child.kill("SIGSTOP");
    collectGarbage();
    const used = () => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    const before = used();
    // 50 MB of records, of which the sockets take some.
    for (let i = 0; i < 400; i++) {
      await Promise.all([failing.hand(BATCH, 1), i % 10 === 0 && other.hand(BATCH)]);
    }
    expect(failing.process.state).toBe("connected");
    expect(failing.process.counters.droppedRecords).toBeGreaterThan(350 * BATCH);
    // What was collected is given back by another thread, sooner or later.
    await eventually("the memory is given back", () => {
      collectGarbage();
      return used() - before < 20_000_000;
    });
    frozen.process.child.kill("SIGCONT");
    const thawed = await Promise.all([failing.hand(BATCH), other.hand(BATCH)]);
    expect(thawed.map(({ sent }) => sent)).toEqual([BATCH, BATCH]);
    const { records } = await failing.close();
    // The session has lasted: what was taken has arrived, and that alone.
    const [numbers = [], ...more] = await received(frozen);
    expect(more).toEqual([]);
    expect(numbers).toHaveLength(records);
    expect(numbers.slice(-BATCH)).toEqual(range(failing.handed).slice(-BATCH));
    await other.close();
    expect(await received(healthy)).toEqual([range(other.handed)]);
  });

  it("a collector that reads slowly gets all that is not given up", async () => {
    const slow = await start();
    const healthy = await start();
    await slow.order({ command: "slow", octets: 8192, seconds: 0.005 });
    const failing = exportTo(slow);
    const other = exportTo(healthy);
    let dropped = 0;
    for (let i = 0; i < 100; i++) {
      const [result] = await Promise.all([failing.hand(BATCH, 5), other.hand(BATCH)]);
      dropped += result.dropped.length;
    }
    expect(dropped).toBeGreaterThan(0);
    await slow.order({ command: "slow", octets: 65_536, seconds: 0 });
    expect(await failing.hand(BATCH)).toMatchObject({ sent: BATCH });
    const { records } = await failing.close();
    expect((await received(slow)).map(({ length }) => length)).toEqual([records]);
    await other.close();
    expect(await received(healthy)).toEqual([range(other.handed)]);
  });

  it("a connection that is reset in mid-message is followed by one that begins anew", async () => {
    const resetting = await start();
    const healthy = await start();
    const failing = exportTo(resetting);
    const other = exportTo(healthy);
    const RESETS = 5;
    // An odd number of octets at a time: it hardly ever stands between two messages.
    await resetting.order({ command: "slow", octets: 7777, seconds: 0.001 });
    for (let reset = 0; reset < RESETS; reset++) {
      await Promise.all([failing.hand(BATCH), other.hand(BATCH)]);
      await resetting.received(20_000, reset);
      await resetting.order({ command: "reset" });
      await eventually("the next session", async () => {
        await Promise.all([failing.hand(BATCH, 20), other.hand(BATCH)]);
        return (await list(resetting)).length > reset + 1;
      });
    }
    expect(await failing.hand(BATCH)).toMatchObject({ sent: BATCH });
    const { records } = await failing.close();
    const sessions = await received(resetting);
    expect((await list(resetting)).map(({ state }) => state)).toEqual([
      ...Array(RESETS).fill("reset"),
      "ended",
    ]);
    expectCounted(sessions, records);
    expect(sessions.at(-1)!.slice(-BATCH)).toEqual(range(failing.handed).slice(-BATCH));
    await other.close();
    expect(await received(healthy)).toEqual([range(other.handed)]);
  });
});

/**
 * What came in all sessions was counted as taken, each record once: but for what was under way when
 * a session ended, which the next one may repeat.
 */
function expectCounted(sessions: readonly number[][], records: number): void {
  const numbers = sessions.flat();
  const different = new Set(numbers);
  expect(different.size).toBeLessThanOrEqual(records);
  const repeated = numbers.length - different.size;
  expect(repeated).toBeLessThanOrEqual((sessions.length - 1) * (SEND / RECORD));
}
