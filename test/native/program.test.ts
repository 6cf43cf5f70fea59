// BPF_PROG_TEST_RUN: packets, contexts, live frames, threads, namespaces and CPUs.
import { readFileSync, readlinkSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  attachXdp,
  BPF_F_TEST_XDP_LIVE_FRAMES,
  type BpfObject,
  deviceType,
  interfaceIndex,
  type NetnsHandle,
  openNetns,
  programById,
  withNetns,
} from "../../src/native/bpf-loader/index.ts";
import { createNetns, type Netns } from "../lab/netns.ts";
import { frame, LITTLE, loaded, readU64, skBuff, u32 } from "./loader-object.ts";

let object: BpfObject;
let netns: Netns;
let handle: NetnsHandle;
beforeAll(async () => {
  object = loaded();
  netns = await createNetns("run");
  await netns.ip("link add va type veth peer name vb", "link set va up", "link set vb up");
  handle = openNetns(netns.name);
});
afterAll(async () => {
  handle?.close();
  object?.close();
  await netns?.close();
});

function seenCpu(): number {
  const { offset } = object.layout(".bss").fields.seen_cpu!;
  return new DataView(object.map(".bss").mmap()).getUint32(offset, LITTLE);
}

test("packet and context in and out", () => {
  const program = object.program("touch");
  const data = frame();
  const result = program.testRun({ data, context: skBuff({ mark: 41 }) });
  expect(result.dataOut.length).toBe(data.length);
  expect(result.dataOut[0]).toBe(0xee);
  expect([...result.dataOut.subarray(1)]).toEqual([...data.subarray(1)]);
  expect(data[0]).toBe(2);
  const context = new DataView(result.contextOut.buffer, result.contextOut.byteOffset);
  expect(result.contextOut.length).toBe(192);
  expect(context.getUint32(8, LITTLE)).toBe(42);
  expect(program.testRun({ data }).contextOut.length).toBe(0);
});

test("repeats, and what a run costs", () => {
  const program = object.program("count");
  const map = object.map("inner_a");
  const before = readU64(map.lookup(u32(0)))!;
  const result = program.testRun({ data: frame(), repeat: 10_000 });
  expect(result.retval).toBe(-1);
  expect(result.durationNs).toBeGreaterThan(0);
  expect(readU64(map.lookup(u32(0)))! - before).toBe(10_000n);
});

test("a program by its id, and its statistics", () => {
  const program = programById(object.program("drop").id);
  expect(program).toMatchObject({ name: "drop", type: "xdp" });
  expect(program.statistics()).toEqual({
    runCount: expect.any(BigInt),
    runTimeNs: expect.any(BigInt),
  });
  program.close();
  expect(() => programById(2 ** 32 - 1)).toThrow(
    expect.objectContaining({ code: "NO_SUCH_PROGRAM" }),
  );
});

test("options that make no sense", () => {
  const program = object.program("count");
  expect(() => program.testRun({ data: frame(), repeat: -1 })).toThrow(
    "test run: repeat is -1, not an integer from 0 to 2147483647",
  );
  expect(() => program.testRun({ data: frame(), affinity: 0.5 })).toThrow(RangeError);
  expect(() => program.testRun({ data: new Uint8Array(13) })).toThrow(
    expect.objectContaining({ code: "TEST_RUN_FAILED" }),
  );
  expect(() => program.testRun({ data: frame(), batchSize: 4 })).toThrow(
    expect.objectContaining({ code: "TEST_RUN_FAILED" }),
  );
  expect(() => program.testRun({ data: frame(), affinity: 4000 })).toThrow(
    expect.objectContaining({ code: "TEST_RUN_FAILED" }),
  );
});

test("in another netns, on this thread and on its own; both come back", async () => {
  const own = readlinkSync("/proc/thread-self/ns/net");
  const index = withNetns(handle, () => interfaceIndex("vb"));
  expect(index).toBeGreaterThan(1);
  const context = skBuff({ ifindex: index });
  const program = object.program("touch");
  expect(program.testRun({ data: frame(), context, netns: handle }).retval).toBe(index);
  const runs = Array.from({ length: 8 }, () =>
    program.testRunAsync({ data: frame(), context, netns: handle }),
  );
  expect((await Promise.all(runs)).map((r) => r.retval)).toEqual(Array(8).fill(index));
  // Not here: the kernel looks the interface up in the caller's netns.
  const elsewhere = skBuff({ ifindex: 12345 });
  expect(() => program.testRun({ data: frame(), context: elsewhere })).toThrow();
  await expect(
    program.testRunAsync({ data: frame(), context: elsewhere, netns: handle }),
  ).rejects.toMatchObject({ code: "TEST_RUN_FAILED" });
  expect(readlinkSync("/proc/thread-self/ns/net")).toBe(own);
});

/** The CPUs that this thread may run on, "0-1" and the like. */
function allowedCpus(): string {
  return /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync("/proc/thread-self/status", "utf8"))![1]!;
}

test("on a CPU, without leaving the thread there", async () => {
  const before = allowedCpus();
  const cpus = before.split(",").flatMap((range) => {
    const [first, last] = range.split("-").map(Number);
    return Array.from({ length: (last ?? first!) - first! + 1 }, (_, i) => first! + i);
  });
  const program = object.program("count");
  for (const cpu of cpus.slice(0, 4)) {
    program.testRun({ data: frame(), affinity: cpu });
    expect(seenCpu()).toBe(cpu);
    await program.testRunAsync({ data: frame(), affinity: cpu });
    expect(seenCpu()).toBe(cpu);
  }
  expect(allowedCpus()).toBe(before);
});

test("testRunAsync leaves the event loop alone, several at once", async () => {
  const program = object.program("count");
  let turns = 0;
  const ticking = setInterval(() => turns++, 1);
  const started = performance.now();
  await Promise.all([
    program.testRunAsync({ data: frame(), repeat: 500_000 }),
    program.testRunAsync({ data: frame(), repeat: 500_000 }),
  ]);
  clearInterval(ticking);
  if (performance.now() - started > 20) expect(turns).toBeGreaterThan(3);
});

test("closing the program and the netns during a run", async () => {
  const program = programById(object.program("count").id);
  const own = openNetns(netns.name);
  const run = program.testRunAsync({ data: frame(), repeat: 100_000, netns: own });
  program.close();
  own.close();
  expect((await run).retval).toBe(-1);
});

test("live frames travel: as many arrive as were sent", async () => {
  const [a, b] = withNetns(handle, () => [interfaceIndex("va"), interfaceIndex("vb")]);
  const injector = loaded((o) => {
    const { offset } = o.layout(".rodata").fields.answer!;
    new DataView(o.rodata()).setUint32(offset, a!, LITTLE);
  });
  const sink = object.program("drop");
  // A frame redirected to a veth needs somebody with XDP at the other end.
  const link = withNetns(handle, () => attachXdp(sink, b!, "native"));
  expect(withNetns(handle, () => deviceType("vb"))).toBe(1);
  const counter = object.layout("shape").fields.counters!.offset / 8;
  const memory = new BigUint64Array(object.map("memory").mmap());
  const before = memory[counter]!;
  const data = frame(128);
  const context = new Uint8Array(new Uint32Array([0, data.length, 0, 1, 0, 0]).buffer);
  const result = await injector.program("redirect").testRunAsync({
    data,
    context,
    repeat: 10_000,
    flags: BPF_F_TEST_XDP_LIVE_FRAMES,
    batchSize: 64,
    netns: handle,
    affinity: 0,
  });
  expect(result.dataOut.length).toBe(0);
  expect(memory[counter]! - before).toBe(10_000n);
  link.close();
  injector.close();
});
