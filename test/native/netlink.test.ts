// Generic netlink: families, requests in any netns, a receiver that sleeps, is closed, outlives nothing.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openNetns } from "../../src/native/bpf-loader/index.ts";
import {
  listenNetlink,
  type NetlinkBatch,
  type NetlinkReceiver,
  openNetlink,
} from "../../src/native/node-netlink/index.ts";
import { eventually } from "../lab/eventually.ts";
import { setUpNode, tracePacket } from "../lab/ioam-kernel.ts";
import type { Netns } from "../lab/netns.ts";
import { packetOctets } from "../lab/packet.ts";
import { run } from "../lab/process.ts";
import { type RouterLab, router } from "../lab/router.ts";
import { type Station, station } from "../lab/station.ts";
import { collect, ROOT } from "./loader-object.ts";

let lab: RouterLab;
let sender: Station;
let group: number;

beforeAll(async () => {
  lab = await router();
  await setUpNode(lab.router, {
    id: 1,
    interfaces: {},
    enabled: ["in0"],
    namespaces: [{ id: 123 }],
  });
  sender = station(lab.source);
  using netlink = openNetlink();
  group = netlink.family("IOAM6").groups.ioam6_events!;
});
afterAll(() => lab.close());

const FRAME = packetOctets(
  tracePacket({ namespace: 123, traceType: 0x800000, nodes: [], room: 16 }),
);

/** Makes the router send so many events. */
async function emit(count = 1): Promise<void> {
  await sender.send("src0", ...Array.from({ length: count }, () => FRAME));
}

function listen(
  onBatch: (batch: NetlinkBatch) => void | Promise<void>,
  netns: Netns = lab.router,
): NetlinkReceiver {
  const handle = openNetns(netns.name);
  try {
    return listenNetlink({ netns: handle, groups: [group] }, onBatch);
  } finally {
    handle.close();
  }
}

/** The receivers' threads of this process: their ids. */
function threads(): string[] {
  return readdirSync("/proc/self/task").filter((id) => {
    try {
      return readFileSync(`/proc/self/task/${id}/comm`, "utf8") === "ioam-netlink\n";
    } catch {
      return false;
    }
  });
}

/** A thread that has been waited for may stay listed for a moment. */
async function noThreads(): Promise<void> {
  await eventually("no thread receives any more", () => threads().length === 0);
}

/** Of a thread: thread-self, or self/task/ID; undefined: it has ended. */
function netnsOf(thread: string): string | undefined {
  try {
    return readlinkSync(`/proc/${thread}/ns/net`);
  } catch {
    return undefined;
  }
}

test("families: found by name with their groups, or not", () => {
  using netlink = openNetlink();
  const control = netlink.family("nlctrl");
  expect(control).toMatchObject({ id: 16, groups: { notify: 16 } });
  expect(netlink.family("IOAM6")).toMatchObject({ version: 1 });
  expect(() => netlink.family("no-such-family")).toThrow(
    expect.objectContaining({
      code: "NETLINK_NO_FAMILY",
      message: "cannot find netlink family no-such-family: this kernel does not have it (ENOENT)",
    }),
  );
  // Longer than any name may be.
  expect(() => netlink.family("x".repeat(70_000))).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^NETLINK_/) }),
  );
  expect(netlink.family("nlctrl")).toEqual(control);
});

test("requests: what the kernel refuses, and that the next one works", () => {
  using netlink = openNetlink();
  const family = netlink.family("IOAM6");
  for (let i = 0; i < 10; i++) {
    expect(() => netlink.request({ family, command: 99, dump: true })).toThrow(
      expect.objectContaining({ code: "NETLINK_FAILED" }),
    );
    const { index, complete } = netlink.request({ family, command: 3, dump: true });
    expect([index.length, complete]).toEqual([0, true]);
  }
  netlink.close();
  netlink.close();
  expect(() => netlink.family("nlctrl")).toThrow(
    expect.objectContaining({ code: "NETLINK_FAILED", message: expect.stringContaining("EBADF") }),
  );
});

test("sockets in another netns: nobody else is moved, nothing is left", async () => {
  const own = netnsOf("thread-self");
  const handle = openNetns(lab.router.name);
  const namespaces = (netns?: typeof handle) => {
    using netlink = openNetlink({ netns });
    const { index } = netlink.request({ family: netlink.family("IOAM6"), command: 3, dump: true });
    return index.length / 2;
  };
  expect(namespaces(handle)).toBe(1);
  expect(namespaces()).toBe(0);
  await collect();
  const before = readdirSync("/proc/self/fd").length;
  const tasks = readdirSync("/proc/self/task").length;
  for (let i = 0; i < 200; i++) {
    expect(namespaces(handle)).toBe(1);
    listen(() => undefined).close();
  }
  expect(netnsOf("thread-self")).toBe(own);
  expect(readdirSync("/proc/self/fd").length).toBe(before);
  await eventually("its threads have ended", () => {
    return readdirSync("/proc/self/task").length === tasks;
  });
  for (const task of readdirSync("/proc/self/task")) {
    expect([own, undefined]).toContain(netnsOf(`self/task/${task}`));
  }
  handle.close();
  expect(() => openNetlink({ netns: handle })).toThrow(expect.objectContaining({ code: "CLOSED" }));
});

test("groups that do not exist", async () => {
  expect(() => listenNetlink({ groups: [1_000_000] }, () => undefined)).toThrow(
    expect.objectContaining({ code: "NETLINK_FAILED" }),
  );
  await noThreads();
});

test("the kernel's buffer is as large as asked for, past rmem_max", () => {
  const maximum = Number(readFileSync("/proc/sys/net/core/rmem_max", "utf8"));
  const receiveBuffer = 8 * maximum;
  using receiver = listenNetlink({ groups: [group], receiveBuffer }, () => undefined);
  expect(receiver.receiveBuffer).toBe(receiveBuffer);
});

test("messages in their netns alone, in the order they came, one buffer and an index", async () => {
  const here: NetlinkBatch[] = [];
  let elsewhere = 0;
  let messages = 0;
  using receiver = listen((batch) => {
    here.push(batch);
    expect(batch.index).toHaveLength(2 * batch.count);
    const view = new DataView(batch.octets.buffer);
    for (let i = 0; i < batch.index.length; i += 2) {
      expect(batch.index[i]! % 8).toBe(0);
      expect(view.getUint32(batch.index[i]!, true)).toBe(batch.index[i + 1]);
      messages++;
    }
  });
  const count = (): void => {
    elsewhere++;
  };
  using _other = listen(count, lab.sink);
  using _own = listenNetlink({ groups: [group] }, count);
  await emit(500);
  await eventually("all messages", () => messages === 500);
  expect(receiver.counters()).toEqual({
    messages: 500,
    drops: 0,
    overruns: 0,
    oversized: 0,
    foreign: 0,
    stalls: 0,
    unread: 0,
  });
  expect(elsewhere).toBe(0);
});

test("nothing runs when nothing comes; what comes then wakes it", async () => {
  await noThreads();
  let came = false;
  using _receiver = listen(() => {
    came = true;
  });
  const switches = () => {
    const [thread] = threads();
    const status = readFileSync(`/proc/self/task/${thread}/status`, "utf8");
    return /^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)![1];
  };
  await emit();
  await eventually("the event", () => came);
  await eventually("a second in which nothing wakes the thread", async () => {
    const before = switches();
    await delay(1000);
    return switches() === before;
  });
  came = false;
  await emit();
  await eventually("the event", () => came);
});

test("closing: in the callback, twice, with a batch kept; the thread ends", async () => {
  await noThreads();
  let calls = 0;
  const receiver = listen(() => {
    calls++;
    receiver.close();
  });
  expect(threads()).toHaveLength(1);
  await emit(100);
  await eventually("a call", () => calls === 1);
  await noThreads();
  receiver.close();
  expect(receiver.counters().drops).toBe(0);

  let kept: NetlinkBatch | undefined;
  let release = (): void => undefined;
  const keeping = listen((batch) => {
    kept = batch;
    return new Promise((resolve) => {
      release = resolve;
    });
  });
  await emit(3);
  await eventually("a batch", () => kept !== undefined);
  keeping.close();
  await collect();
  // Its memory is there as long as somebody looks at it.
  const view = new DataView(kept!.octets.buffer);
  expect(view.getUint32(kept!.index[0]!, true)).toBe(kept!.index[1]);
  release();
  await delay(10);
  await noThreads();
});

/** Messages that a buffer of two batches holds at most. */
const SMALLEST = 2 * 4096;

test("leaving: all that came is handed over, nothing comes any more", async () => {
  const handle = openNetns(lab.router.name);
  const sent = SMALLEST + 1000;
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let messages = 0;
  using receiver = listenNetlink(
    { netns: handle, groups: [group], bufferOctets: 1 },
    async (batch) => {
      messages += batch.count;
      await released;
    },
  );
  handle.close();
  await emit(sent);
  await eventually("our buffer is full", () => receiver.counters().stalls > 0);
  receiver.leave();
  expect(receiver.drained).toBe(false);
  release();
  await eventually("the kernel has no more", () => receiver.drained);
  expect(receiver.counters()).toMatchObject({ messages: sent, drops: 0, unread: 0 });
  await emit(100);
  await eventually("all is handed over", () => messages === sent);
  receiver.leave();
  receiver.close();
  receiver.leave();
  expect(receiver.counters()).toMatchObject({ messages: sent, drops: 0, unread: 0 });
});

test("leaving in the pause after a read: the thread looks once more all the same", async () => {
  for (let round = 0; round < 50; round++) {
    using receiver = listen(() => undefined);
    await emit();
    receiver.leave();
    await eventually("the kernel has no more", () => receiver.drained, { every: 1 });
    expect(receiver.counters()).toMatchObject({ messages: 1, unread: 0 });
  }
});

test("closing counts what nobody has read, and what the kernel dropped", async () => {
  const handle = openNetns(lab.router.name);
  const o = { netns: handle, groups: [group], bufferOctets: 1, receiveBuffer: 1 << 21 };
  let kept = 0;
  const receiver = listenNetlink(o, async (batch) => {
    kept += batch.count;
    await new Promise(() => undefined);
  });
  handle.close();
  const sent = SMALLEST + 10_000;
  await emit(sent);
  await eventually("our buffer is full", () => receiver.counters().stalls > 0);
  receiver.close();
  const { messages, drops, unread } = receiver.counters();
  expect(messages + drops + unread).toBe(sent);
  expect({ kept: kept > 0, drops: drops > 0, unread: unread > 0 }).toEqual({
    kept: true,
    drops: true,
    unread: true,
  });
  receiver.close();
  expect(receiver.counters()).toMatchObject({ messages, drops, unread });
});

test("it goes on though nobody holds it", async () => {
  let messages = 0;
  let receiver: NetlinkReceiver | undefined = listen((batch) => {
    messages += batch.count;
  });
  const weak = new WeakRef(receiver);
  receiver = undefined;
  await collect();
  await emit(5);
  await eventually("the messages", () => messages === 5);
  weak.deref()?.close();
});

/** Runs a module in a process of its own, with the addon's front door as `L`. */
async function script(
  body: string,
): Promise<{ code: number | null; stderr: string; stdout: string }> {
  const source = `
    import * as L from "./src/native/node-netlink/index.ts";
    import { openNetns } from "./src/native/bpf-loader/index.ts";
    const netns = openNetns(${JSON.stringify(lab.router.name)});
    const o = { netns, groups: [${group}] };
    ${body}
  `;
  return run(process.execPath, ["--import", "tsx", "--input-type=module", "-e", source], {
    cwd: ROOT,
    check: false,
    timeout: 20_000,
  });
}

test("an open receiver does not keep the process alive, unless asked to", async () => {
  const left = await script("L.listenNetlink(o, () => undefined); console.log('done');");
  expect(left).toMatchObject({ code: 0, stdout: "done\n" });
  const kept = script(`
    const receiver = L.listenNetlink({ ...o, keepAlive: true }, (batch) => {
      console.log("batch of", batch.count > 0);
      receiver.close();
    });
  `);
  const timer = setInterval(() => void emit(), 200);
  expect(await kept).toMatchObject({ code: 0, stdout: "batch of true\n" });
  clearInterval(timer);
});

test("what the callback throws is an uncaught exception; whoever survives it gets the rest", async () => {
  const ended = script(`
    let calls = 0;
    process.on("uncaughtException", (error) => console.log(error.message));
    const receiver = L.listenNetlink({ ...o, keepAlive: true }, () => {
      if (++calls === 3) receiver.close();
      throw new Error("call " + calls);
    });
  `);
  const timer = setInterval(() => void emit(), 100);
  expect(await ended).toMatchObject({ code: 0, stdout: "call 1\ncall 2\ncall 3\n" });
  clearInterval(timer);
});

test("a worker may end with a receiver open, and so may the process, under load", async () => {
  const timer = setInterval(() => void emit(50), 20);
  const { code, stdout, stderr } = await script(`
    import { Worker } from "node:worker_threads";
    const source = \`
      const { parentPort } = require("node:worker_threads");
      const L = require("${ROOT}native/build/Release/node-netlink.node");
      globalThis.receiver = new L.Receiver(\${netns.fd}, [${group}], 1 << 20, 1 << 20, () => {
        while ((batch = receiver.take()) !== undefined) receiver.giveBack(batch.number);
      }, true);
      globalThis.memory = receiver.memory();
      setTimeout(() => process.exit(), 100);
    \`;
    for (let i = 0; i < 5; i++) {
      const worker = new Worker(source, { eval: true, execArgv: [] });
      await new Promise((resolve) => worker.once("exit", resolve));
    }
    L.listenNetlink(o, () => undefined);
    setTimeout(() => process.exit(0), 100);
    process.on("exit", () => console.log("still here"));
  `);
  clearInterval(timer);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "still here\n", stderr: "" });
});

test("as nobody: what it takes", async () => {
  const { stdout } = await script(`
    process.setgroups([]);
    process.setgid(65534);
    process.setuid(65534);
    const attempt = (action) => {
      try {
        action();
      } catch (error) {
        console.log(error.code, error.message);
      }
    };
    attempt(() => L.openNetlink().family("IOAM6"));
    attempt(() => L.openNetlink(o));
    attempt(() => L.listenNetlink({ groups: o.groups }, () => undefined));
    attempt(() => {
      const netlink = L.openNetlink();
      netlink.request({ family: netlink.family("IOAM6"), command: 3, dump: true });
    });
  `);
  expect(stdout.trim().split("\n")).toEqual([
    "NETLINK_PERMISSION cannot open a netlink socket: another netns needs root or CAP_SYS_ADMIN (EPERM)",
    "NETLINK_PERMISSION cannot listen to netlink multicast: needs root or CAP_NET_ADMIN (EPERM)",
    "NETLINK_PERMISSION netlink command 3 failed: needs root or CAP_NET_ADMIN (EPERM)",
  ]);
});
