// BPF maps: elements, batches, map-in-map, what goes wrong.
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  BPF_EXIST,
  BPF_NOEXIST,
  type BpfObject,
  createMap,
  mapById,
  possibleCpus,
} from "../../src/native/bpf-loader/index.ts";
import { frame, LITTLE, loaded, readU64, u32, u64 } from "./loader-object.ts";

let object: BpfObject;
beforeAll(() => {
  object = loaded();
});
afterAll(() => object?.close());

test("properties", () => {
  const table = object.map("table");
  expect(table).toMatchObject({
    name: "table",
    type: "hash",
    keySize: 4,
    valueSize: 8,
    valueOctets: 8,
    maxEntries: 10000,
  });
  const same = mapById(table.id);
  expect(same.id).toBe(table.id);
  expect(same.fd).not.toBe(table.fd);
  same.close();
  expect(() => mapById(2 ** 32 - 1)).toThrow(expect.objectContaining({ code: "NO_SUCH_MAP" }));
});

test("elements one by one", () => {
  const table = object.map("table");
  expect(table.lookup(u32(5))).toBeUndefined();
  table.update(u32(5), u64(50n));
  table.update(u32(6), u64(60n), BPF_NOEXIST);
  expect(readU64(table.lookup(u32(5)))).toBe(50n);
  expect(() => table.update(u32(6), u64(0n), BPF_NOEXIST)).toThrow(
    expect.objectContaining({ code: "MAP_KEY_EXISTS" }),
  );
  expect(() => table.update(u32(7), u64(0n), BPF_EXIST)).toThrow(
    expect.objectContaining({ code: "NO_SUCH_KEY" }),
  );
  const keys = table
    .keys()
    .map((key) => new DataView(key.buffer, key.byteOffset).getUint32(0, LITTLE));
  expect(keys.sort()).toEqual([5, 6]);
  expect(table.delete(u32(5))).toBe(true);
  expect(table.delete(u32(5))).toBe(false);
  expect(table.delete(u32(6))).toBe(true);
  expect(table.keys()).toEqual([]);
  expect(() => table.lookup(new Uint8Array(3))).toThrow("map table: key has 3 octets, not 4");
  expect(() => table.update(u32(1), u32(1))).toThrow("map table: value has 4 octets, not 8");
});

test("views into larger buffers are read where they lie", () => {
  const table = object.map("table");
  const buffer = new Uint8Array(64).fill(0xff);
  buffer.set(u32(77), 12);
  buffer.set(u64(770n), 20);
  table.update(buffer.subarray(12, 16), buffer.subarray(20, 28));
  expect(readU64(table.lookup(u32(77)))).toBe(770n);
  table.delete(u32(77));
});

test("a per-CPU map has a value for each possible CPU", async () => {
  const map = object.map("per_cpu");
  expect(map.valueOctets).toBe(8 * possibleCpus());
  const runs = 5;
  await object.program("count").testRunAsync({ data: frame(), repeat: runs, affinity: 0 });
  const values = map.lookup(u32(0))!;
  expect(new DataView(values.buffer, values.byteOffset).getUint32(0, LITTLE)).toBe(runs);
  map.update(u32(0), new Uint8Array(map.valueOctets));
  expect(map.lookup(u32(0))).toEqual(new Uint8Array(map.valueOctets));
});

test("batches: all, some, going on, taking out", () => {
  const table = object.map("table");
  const count = 9000;
  for (let i = 0; i < count; i++) table.update(u32(i), u64(BigInt(i) * 3n));

  const all = table.lookupBatch();
  expect(all.count).toBe(count);
  expect(all.position).toBeUndefined();
  const keys = new Uint32Array(all.keys.slice().buffer);
  const values = new BigUint64Array(all.values.slice().buffer);
  expect(new Set(keys).size).toBe(count);
  expect(keys.every((key, i) => values[i] === BigInt(key) * 3n)).toBe(true);

  const found = new Set<number>();
  let position: Uint8Array | undefined;
  let calls = 0;
  do {
    const some = table.lookupBatch(1000, position);
    for (const key of new Uint32Array(some.keys.slice().buffer)) found.add(key);
    // The kernel does not split a bucket.
    expect(some.count).toBeLessThan(1100);
    position = some.position;
    calls++;
  } while (position !== undefined);
  expect(found.size).toBe(count);
  expect(calls).toBeGreaterThanOrEqual(9);

  const taken = table.lookupAndDeleteBatch(4000);
  expect(taken.count).toBeGreaterThan(3800);
  expect(taken.position).toBeDefined();
  const rest = table.lookupAndDeleteBatch();
  expect(taken.count + rest.count).toBe(count);
  expect(table.keys()).toEqual([]);
  expect(table.lookupBatch()).toMatchObject({ count: 0, position: undefined });
  expect(() => table.lookupBatch(0)).toThrow(RangeError);
});

test("a batch smaller than a bucket of the hash", () => {
  // One bucket for few elements: the kernel answers ENOSPC until there is room for all of it.
  const map = createMap({ type: "hash", name: "small", keySize: 4, valueSize: 8, maxEntries: 64 });
  for (let i = 0; i < 64; i++) map.update(u32(i), u64(1n));
  const found = new Set<number>();
  let position: Uint8Array | undefined;
  do {
    const some = map.lookupBatch(1, position);
    for (const key of new Uint32Array(some.keys.slice().buffer)) found.add(key);
    position = some.position;
  } while (position !== undefined);
  expect(found.size).toBe(64);
  map.close();
});

test("an array in batches", () => {
  const map = createMap({ type: "array", keySize: 4, valueSize: 8, maxEntries: 10 });
  map.update(u32(9), u64(9n));
  const all = map.lookupBatch();
  expect(all.count).toBe(10);
  expect([...new Uint32Array(all.keys.slice().buffer)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(new BigUint64Array(all.values.slice().buffer)[9]).toBe(9n);
  expect(() => map.lookupAndDeleteBatch()).toThrow(
    expect.objectContaining({ code: "MAP_NO_BATCH" }),
  );
  map.close();
});

test("maps in maps: the program sees the new one once updateAsync() is done", async () => {
  const outer = object.map("outer");
  const [a, b] = [object.map("inner_a"), object.map("inner_b")];
  const program = object.program("count");
  a.update(u32(0), u64(0n));
  program.testRun({ data: frame() });
  expect(readU64(a.lookup(u32(0)))).toBe(1n);

  let turns = 0;
  const ticking = setInterval(() => turns++, 1);
  await outer.updateAsync(u32(0), b);
  clearInterval(ticking);
  // Linux waits for a grace period; the event loop does not.
  expect(turns).toBeGreaterThan(0);

  program.testRun({ data: frame(), repeat: 2 });
  expect(readU64(a.lookup(u32(0)))).toBe(1n);
  expect(readU64(b.lookup(u32(0)))).toBe(2n);
  const id = outer.lookup(u32(0))!;
  expect(new DataView(id.buffer, id.byteOffset).getUint32(0, LITTLE)).toBe(b.id);
  const misfit = createMap({ type: "array", keySize: 4, valueSize: 4, maxEntries: 4 });
  await expect(outer.updateAsync(u32(0), misfit)).rejects.toMatchObject({ code: "MAP_FAILED" });
  expect(() => outer.updateAsync(new Uint8Array(1), b)).toThrow(TypeError);
  misfit.close();
});

test("closing a map while updateAsync() is under way", async () => {
  const outer = createMap({
    type: "array_of_maps",
    keySize: 4,
    valueSize: 4,
    maxEntries: 1,
    inner: object.map("inner_a"),
  });
  const update = outer.updateAsync(u32(0), object.map("inner_b"));
  outer.close();
  await update;
  expect(() => outer.lookup(u32(0))).toThrow(expect.objectContaining({ code: "CLOSED" }));
});
