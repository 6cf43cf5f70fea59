// How an agent ends, whatever waits: every event is exported or counted, also over the next agent.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { collector } from "../lab/collector.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { type Generator, generator } from "../lab/generator.ts";
import { setUpNode, traceOption } from "../lab/ioam-kernel.ts";
import { CommandLab, warnings } from "./command-lab.ts";

const TRACE = { namespace: 123, traceType: 0x800000, nodes: [], room: 16 };

let commands: CommandLab;
let gen: Generator;

beforeAll(async () => {
  commands = await CommandLab.start();
  const { lab } = commands;
  await setUpNode(lab.router, {
    id: 42,
    interfaces: {},
    enabled: ["in0"],
    namespaces: [{ id: 123 }],
  });
  const packet = dexPacket({ source: "fd00:1::", before: [traceOption(TRACE)] });
  gen = generator(lab.source, "src0", { flows: 10, packet });
});
afterAll(async () => {
  gen?.close();
  await commands?.close();
});
beforeEach(() => commands.host.print("detach", "--all"));

/** The path of a configuration that exports the router's events there. */
function configure(target: string, more = ""): Promise<string> {
  return commands.configure(`
trace: { source: kernel, netns: [ROUTER] }
collectors: [{ address: "${target}", mtu: 1400${more} }]
`);
}

/** So slow that one batch of records takes minutes: all others wait. */
const SLOW = ", maxRate: 8kbit/s";

async function counters(): Promise<Record<string, number>> {
  return (await commands.status()).counters;
}

/** What an agent has written down: events decoded and events that wait. */
async function written(): Promise<{ events: number; waiting: number }> {
  const { stdout } = await commands.host.run(["sh", "-c", "cat /run/ioamctl/trace-*.json"]);
  const note = JSON.parse(stdout) as { counters: { netlinkEvents: number }; waiting: number };
  return { events: note.counters.netlinkEvents, waiting: note.waiting };
}

/** Records but those of options that collectors have received, sessions together. */
async function received(of: Awaited<ReturnType<typeof collector>>): Promise<number> {
  return (await of.facts()).reduce((sum, { records }) => sum + records, 0);
}

test.each([
  ["as many as the kernel's buffer holds", 10_000, false],
  ["more than the kernel's buffer holds", 100_000, true],
])("SIGTERM while the agent stands still, and %s wait", async (_, sent, overflows) => {
  await using receiver = await collector();
  const running = await commands.agent("-c", await configure(receiver.target));
  running.child.kill("SIGSTOP");
  await gen.send({ packets: sent });
  running.child.kill("SIGTERM");
  running.child.kill("SIGCONT");
  expect(await running.ended).toEqual({ code: 0, signal: null });
  expect(warnings(running)).toEqual([]);
  const { netlinkEvents, netlinkDrops, ...rest } = await counters();
  expect(netlinkEvents! + netlinkDrops!).toBe(sent);
  expect(netlinkDrops! > 0).toBe(overflows);
  expect(rest).toMatchObject({
    netlinkMalformed: 0,
    traceRecords: netlinkEvents,
    exportedTraceRecords: netlinkEvents,
    droppedTraceRecords: 0,
  });
  expect(await received(receiver)).toBe(netlinkEvents);
});

test("SIGTERM while events come: it ends, what it received is exported", async () => {
  await using receiver = await collector();
  const running = await commands.agent("-c", await configure(receiver.target));
  const sending = gen.send({ packets: 200_000, rate: 100_000 });
  await eventually("events", async () => (await counters()).netlinkEvents! > 0);
  expect((await running.stop()).code).toBe(0);
  const { netlinkEvents, ...rest } = await counters();
  expect(rest).toMatchObject({ netlinkDrops: 0, exportedTraceRecords: netlinkEvents });
  expect(await received(receiver)).toBe(netlinkEvents);
  await sending;
});

test("SIGTERM, and a collector that takes nearly nothing: the rest is counted in a bounded time", async () => {
  await using receiver = await collector();
  const sent = 50_000;
  const running = await commands.agent("-c", await configure(receiver.target, SLOW));
  await gen.send({ packets: sent });
  // Longer than the agent may take: then it would have been killed.
  expect((await running.stop("SIGTERM", 30_000)).code).toBe(0);
  const { netlinkEvents, netlinkDrops, ...rest } = await counters();
  expect(netlinkEvents! + netlinkDrops!).toBe(sent);
  expect(rest.traceRecords).toBe(netlinkEvents);
  expect(rest.exportedTraceRecords! + rest.droppedTraceRecords!).toBe(netlinkEvents);
  expect(netlinkDrops! + rest.droppedTraceRecords!).toBeGreaterThan(0);
  expect(warnings(running)).toContainEqual(
    expect.objectContaining({ netns: commands.name, events: netlinkDrops }),
  );
});

test("SIGKILL, then another agent: what the first had exported stays counted", async () => {
  await using receiver = await collector();
  const file = await configure(receiver.target);
  const killed = await commands.agent("-c", file);
  await gen.send({ packets: 20_000 });
  await eventually("all are exported", async () => {
    return (await counters()).exportedTraceRecords === 20_000;
  });
  await killed.stop("SIGKILL");
  expect((await commands.status()).agent).toBeNull();
  const next = await commands.agent("-c", file);
  await gen.send({ packets: 5_000 });
  expect((await next.stop()).code).toBe(0);
  expect(await counters()).toMatchObject({
    netlinkEvents: 25_000,
    netlinkDrops: 0,
    traceRecords: 25_000,
    exportedTraceRecords: 25_000,
    droppedTraceRecords: 0,
  });
  expect(await received(receiver)).toBe(25_000);
});

test("SIGKILL of one that had many in hand: they are counted as dropped, once", async () => {
  await using receiver = await collector();
  const sent = 50_000;
  const killed = await commands.agent("-c", await configure(receiver.target, SLOW));
  await gen.send({ packets: sent });
  await eventually("all are written down", async () => {
    const { events, waiting } = await written();
    return events + waiting === sent;
  });
  await killed.stop("SIGKILL");
  const settled = await counters();
  expect(settled.netlinkEvents! + settled.netlinkDrops!).toBe(sent);
  expect(settled.traceRecords).toBe(settled.netlinkEvents);
  const { exportedTraceRecords, droppedTraceRecords } = settled;
  expect(exportedTraceRecords! + droppedTraceRecords!).toBe(settled.netlinkEvents);
  expect(droppedTraceRecords! + settled.netlinkDrops!).toBeGreaterThan(0);
  const next = await commands.agent("-c", await configure(receiver.target));
  expect(await counters()).toEqual(settled);
  await gen.send({ packets: 1_000 });
  expect((await next.stop()).code).toBe(0);
  expect(await counters()).toMatchObject({
    netlinkEvents: settled.netlinkEvents! + 1_000,
    netlinkDrops: settled.netlinkDrops,
    exportedTraceRecords: settled.exportedTraceRecords! + 1_000,
    droppedTraceRecords: settled.droppedTraceRecords,
  });
});
