// Ring buffers: batches, not records; closed, collected, and in nobody's way at exit.
import { readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type BpfObject,
  createMap,
  openRing,
  RING_RECORD_HEADER,
  ringRecords,
} from "../../src/native/bpf-loader/index.ts";
import { eventually } from "../lab/eventually.ts";
import { run } from "../lab/process.ts";
import { collect, frame, LOADER, loaded, ROOT, skBuff } from "./loader-object.ts";

let object: BpfObject;
beforeAll(() => {
  object = loaded();
});
afterAll(() => object?.close());

const BPF_RB_NO_WAKEUP = 1;
const BPF_RB_FORCE_WAKEUP = 2;

/** Records of `size` octets. */
function emit(size: number, repeat = 1, flags = 0): void {
  const context = skBuff({ mark: size, priority: flags });
  expect(object.program("emit").testRun({ data: frame(), context, repeat }).retval).toBe(0);
}

test("all records of a wake-up in one batch, each where it should be", async () => {
  const batches: Buffer[] = [];
  const ring = openRing(object.map("ring"), (batch) => batches.push(batch));
  for (let size = 1; size <= 64; size++) emit(size);
  await eventually("a batch", () => batches.length > 0);
  expect(batches).toHaveLength(1);
  const [batch] = batches;
  expect(batch!.length % 8).toBe(0);
  const records = [...ringRecords(batch!)];
  expect(records.map((r) => r.length)).toEqual(Array.from({ length: 64 }, (_, i) => i + 1));
  expect(records.every((r) => r.every((octet) => octet === r.length))).toBe(true);
  expect(records.every((r) => (r.byteOffset - batch!.byteOffset) % 8 === 0)).toBe(true);
  expect(batch!.length).toBe(
    records.reduce((sum, r) => sum + RING_RECORD_HEADER + Math.ceil(r.length / 8) * 8, 0),
  );
  emit(200);
  await eventually("another", () => batches.length === 2);
  ring.close();
  ring.close();
});

test("a batch is the callback's to keep", async () => {
  const batches: Buffer[] = [];
  const ring = openRing(object.map("ring"), (batch) => batches.push(batch));
  for (const size of [11, 22, 33]) {
    emit(size);
    await eventually("a batch", () => batches.at(-1)?.[0] === size);
  }
  expect(batches.map((b) => [...ringRecords(b)][0]!.length)).toEqual([11, 22, 33]);
  ring.close();
});

test("what woke nobody is there for drain()", async () => {
  const batches: Buffer[] = [];
  const ring = openRing(object.map("ring"), (batch) => batches.push(batch));
  expect(ring.drain()).toBe(false);
  emit(9, 3, BPF_RB_NO_WAKEUP);
  await delay(30);
  expect(batches).toHaveLength(0);
  expect(ring.drain()).toBe(true);
  expect([...ringRecords(batches[0]!)].map((r) => r.length)).toEqual([9, 9, 9]);
  expect(ring.drain()).toBe(false);
  ring.close();
  expect(ring.drain()).toBe(false);
});

test("a hundred thousand records: none lost, none twice, a callback for hundreds", async () => {
  let records = 0;
  let callbacks = 0;
  const ring = openRing(object.map("ring"), (batch) => {
    callbacks++;
    for (const record of ringRecords(batch)) {
      expect(record.length).toBe(16);
      records++;
    }
  });
  const each = 4000; // fits the ring
  for (let i = 0; i < 25; i++) {
    emit(16, each);
    await eventually("all of them", () => records === (i + 1) * each, { every: 1 });
  }
  expect(callbacks).toBeLessThan(100);
  ring.close();
});

test("batches end at 1 MiB and little more; the rest follows", async () => {
  const sizes: number[] = [];
  let records = 0;
  const large = loaded((o) => o.setMaxEntries("ring", 4 << 20));
  const ring = openRing(large.map("ring"), (batch) => {
    sizes.push(batch.length);
    for (const _ of ringRecords(batch)) records++;
  });
  const many = 200_000; // of 16 octets each, in the ring and in a batch
  const context = skBuff({ mark: 1, priority: BPF_RB_NO_WAKEUP });
  large.program("emit").testRun({ data: frame(), context, repeat: many });
  large.program("emit").testRun({
    data: frame(),
    context: skBuff({ mark: 1, priority: BPF_RB_FORCE_WAKEUP }),
  });
  await eventually("all of them", () => records === many + 1);
  expect(sizes).toEqual([1 << 20, 1 << 20, 1 << 20, 200_001 * 16 - (3 << 20)]);
  ring.close();
  large.close();
});

test("closing in the callback, and collecting afterwards", async () => {
  let calls = 0;
  const ring = openRing(object.map("ring"), () => {
    calls++;
    ring.close();
  });
  emit(8);
  await eventually("a call", () => calls === 1);
  emit(8);
  await delay(20);
  expect(calls).toBe(1);
  await collect();
  // What it did not read is still there for the next.
  const batches: Buffer[] = [];
  const next = openRing(object.map("ring"), (batch) => batches.push(batch));
  next.drain();
  expect([...ringRecords(batches[0]!)]).toHaveLength(1);
  next.close();
});

test("it goes on though nobody holds it, and the map was closed", async () => {
  let records = 0;
  let ring: ReturnType<typeof openRing> | undefined;
  const other = loaded();
  const emitting = other.program("emit");
  ring = openRing(other.map("ring"), (batch) => {
    records += [...ringRecords(batch)].length;
  });
  const weak = new WeakRef(ring);
  ring = undefined;
  other.map("ring").close();
  other.close();
  await collect();
  emitting.testRun({ data: frame(), context: skBuff({ mark: 8 }) });
  await eventually("the record", () => records === 1);
  weak.deref()?.close();
});

test("rings opened and closed leave no descriptor", async () => {
  const before = readdirSync("/proc/self/fd").length;
  for (let i = 0; i < 50; i++) openRing(object.map("ring"), () => undefined).close();
  await delay(5);
  expect(readdirSync("/proc/self/fd").length).toBe(before);
});

test("a map that is no ring", () => {
  const map = createMap({ type: "array", name: "no", keySize: 4, valueSize: 4, maxEntries: 1 });
  expect(() => openRing(map, () => undefined)).toThrow(
    expect.objectContaining({
      code: "NOT_A_RING",
      message: "cannot open ring buffer no: it is a map of type array (EINVAL)",
    }),
  );
  map.close();
});

/** Runs a module in a process of its own, with the addon's front door as `L`. */
async function script(
  body: string,
  check = true,
): Promise<{ code: number | null; stderr: string; stdout: string }> {
  const source = `
    import * as L from "./src/native/bpf-loader/index.ts";
    const object = L.openObject(${JSON.stringify(LOADER)});
    object.load();
    const data = new Uint8Array(64);
    const context = new Uint8Array(192);
    context[8] = 8;
    ${body}
  `;
  return run(process.execPath, ["--import", "tsx", "--input-type=module", "-e", source], {
    cwd: ROOT,
    check,
    timeout: 20_000,
  });
}

test("an open ring does not keep the process alive, unless asked to", async () => {
  await script(`L.openRing(object.map("ring"), () => undefined);`);
  const kept = await script(`
    let ring;
    ring = L.openRing(object.map("ring"), (batch) => {
      console.log("batch of", batch.length);
      ring.close();
    }, undefined, { keepAlive: true });
    setTimeout(() => object.program("emit").testRun({ data, context }), 100).unref();
  `);
  expect(kept.stdout).toBe("batch of 16\n");
});

test("what the callback throws is an uncaught exception", async () => {
  const result = await script(
    `
    L.openRing(object.map("ring"), () => { throw new Error("from the callback"); },
      undefined, { keepAlive: true });
    object.program("emit").testRun({ data, context });
  `,
    false,
  );
  expect(result.code).not.toBe(0);
  expect(result.stderr).toContain("from the callback");
});

test("a worker may end with a ring open and jobs under way", async () => {
  const { stdout } = await script(`
    import { Worker } from "node:worker_threads";
    import { setTimeout as delay } from "node:timers/promises";
    const source = \`
      const { parentPort } = require("node:worker_threads");
      const L = require("${ROOT}native/build/Release/bpf-loader.node");
      const object = new L.Object(${JSON.stringify(LOADER)});
      object.load();
      globalThis.ring = new L.Ring(object.map("ring").number, () => undefined, true);
      globalThis.view = new Uint8Array(L.mapMmap(object.map("memory").number, 0, 4096, true));
      L.testRunAsync(object.program("count").number, -1, {
        data: new Uint8Array(64), repeat: 3000000,
      });
      parentPort.postMessage(view.length);
      setTimeout(() => process.exit(), 20);
    \`;
    for (let i = 0; i < 5; i++) {
      const worker = new Worker(source, { eval: true, execArgv: [] });
      await new Promise((resolve) => worker.once("exit", resolve));
    }
    await delay(1000);
    console.log("still here");
  `);
  expect(stdout).toContain("still here");
});
