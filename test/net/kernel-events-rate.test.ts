// Kernel events at high rates: none lost while there is room, and what is lost is counted exactly.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openNetns } from "../../src/native/bpf-loader/index.ts";
import { listenToKernel } from "../../src/netlink/index.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { type Generator, generator } from "../lab/generator.ts";
import { setUpNode, traceOption } from "../lab/ioam-kernel.ts";
import { KernelListener } from "../lab/kernel-listener.ts";
import { type RouterLab, router } from "../lab/router.ts";

const TRACE = { namespace: 123, traceType: 0xf00000, nodes: [], room: 48 };

let lab: RouterLab;
let gen: Generator;
let before: number;

beforeAll(async () => {
  lab = await router();
  await setUpNode(lab.router, {
    id: 42,
    interfaces: { in0: { id: 11 }, out0: { id: 12 } },
    enabled: ["in0"],
    namespaces: [{ id: 123 }],
  });
  const packet = dexPacket({ source: "fd00:1::", before: [traceOption(TRACE)] });
  gen = generator(lab.source, "src0", { flows: 100, packet });
});
beforeEach(async () => {
  before = await packetsIn();
});
afterAll(async () => {
  gen.close();
  await lab.close();
});

/** IPv6 packets that the router has received: each with a trace, each an event. */
async function packetsIn(): Promise<number> {
  const { stdout } = await lab.router.run("cat", ["/proc/net/snmp6"]);
  return Number(/^Ip6InReceives\s+(\d+)$/m.exec(stdout)![1]);
}

/** Lets no JavaScript run. */
function standStill(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

test("100 000 events a second: none is lost", async () => {
  using listener = new KernelListener(lab.router);
  await gen.send({ packets: 500_000, rate: 100_000 });
  await eventually("all events", () => listener.accounted >= 500_000);
  expect(await packetsIn()).toBe(before + 500_000);
  expect(listener.counters()).toEqual({
    netlinkEvents: 500_000,
    netlinkDrops: 0,
    netlinkMalformed: 0,
  });
  // Many a batch: JavaScript is not called for each.
  expect(listener.batches).toBeLessThan(10_000);
});

test("JavaScript stands still for 2 s while 300 000 events come: none is lost", async () => {
  using listener = new KernelListener(lab.router);
  const sent = gen.send({ packets: 300_000 });
  standStill(2000);
  const batches = listener.batches;
  await sent;
  await eventually("all events", () => listener.accounted >= 300_000);
  expect(batches).toBe(0);
  expect(await packetsIn()).toBe(before + 300_000);
  expect(listener.counters()).toMatchObject({ netlinkEvents: 300_000, netlinkDrops: 0 });
});

test("as fast as the router forwards, on both CPUs: received + dropped = sent", async () => {
  using listener = new KernelListener(lab.router, { receiveBuffer: 1 << 20 });
  const packets = 1_000_000;
  await gen.send({ packets, cpus: [0, 1] });
  const sent = (await packetsIn()) - before;
  await eventually("all events", () => listener.accounted >= sent);
  expect(listener.accounted).toBe(sent);
  expect(listener.counters().netlinkMalformed).toBe(0);
});

test("both buffers full: what is dropped is counted exactly, and it goes on", async () => {
  using listener = new KernelListener(lab.router, {
    receiveBuffer: 1 << 17,
    bufferOctets: 1 << 19,
  });
  for (let round = 1; round <= 3; round++) {
    const sending = gen.send({ packets: 200_000 });
    standStill(1500);
    await sending;
    const sent = (await packetsIn()) - before;
    await eventually("all events", () => listener.accounted >= sent);
    const { netlinkEvents, netlinkDrops } = listener.counters();
    expect(netlinkEvents + netlinkDrops).toBe(200_000 * round);
    expect(netlinkDrops).toBeGreaterThan(100_000 * round);
    expect(netlinkEvents).toBeGreaterThanOrEqual(2 * 4096 * round);
  }
  const { netlinkEvents } = listener.counters();
  await gen.send({ packets: 50 });
  await eventually("50 more", () => listener.counters().netlinkEvents === netlinkEvents + 50);
});

test("a callback that takes its time gets one batch after another, none lost", async () => {
  const handle = openNetns(lab.router.name);
  let inside = 0;
  let received = 0;
  let most = 0;
  const events = listenToKernel({ netns: handle }, async (batch) => {
    most = Math.max(most, ++inside);
    // Half now, half when other things have happened meanwhile: the batch is still what it was.
    for (let event = batch.next(); event !== undefined; event = batch.next()) {
      if (event.namespaceId === 123) received++;
      if (received % 5000 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    inside--;
  });
  await gen.send({ packets: 100_000 });
  await eventually("all events", () => received === 100_000);
  expect(most).toBe(1);
  expect(events.counters()).toEqual({
    netlinkEvents: 100_000,
    netlinkDrops: 0,
    netlinkMalformed: 0,
  });
  events.close();
  handle.close();
});
