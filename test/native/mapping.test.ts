// Mapped maps: live memory, as long as anything looks at it, wherever it was mapped from.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type BpfMap, createMap } from "../../src/native/bpf-loader/index.ts";
import { collect, readU64, u32, u64 } from "./loader-object.ts";

const BPF_F_MMAPABLE = 1 << 10;
const PAGE = 4096;

function mmapable(maxEntries: number, valueSize = 8): BpfMap {
  return createMap({
    type: "array",
    name: "mapped",
    keySize: 4,
    valueSize,
    maxEntries,
    flags: BPF_F_MMAPABLE,
  });
}

/** Mappings of BPF maps in this process, of those that are still looked at. */
async function mappings(): Promise<number> {
  await collect();
  const lines = readFileSync("/proc/self/maps", "utf8").split("\n");
  return lines.filter((line) => line.includes("bpf-map")).length;
}

test("memory and system calls see the same", () => {
  const map = mmapable(100, 6); // elements of 8 octets all the same
  const memory = new Uint8Array(map.mmap());
  expect(memory.length).toBe(800);
  map.update(u32(3), new Uint8Array([1, 2, 3, 4, 5, 6]));
  expect([...memory.subarray(24, 32)]).toEqual([1, 2, 3, 4, 5, 6, 0, 0]);
  memory[25] = 99;
  expect([...map.lookup(u32(3))!]).toEqual([1, 99, 3, 4, 5, 6]);
  map.close();
});

test("two mappings of one map are two addresses and one memory", async () => {
  const map = mmapable(10);
  const before = await mappings();
  let a: BigUint64Array | undefined = new BigUint64Array(map.mmap());
  const b = new BigUint64Array(map.mmap());
  expect(await mappings()).toBe(before + 2);
  a[4] = 44n;
  expect(b[4]).toBe(44n);
  a = undefined;
  expect(await mappings()).toBe(before + 1);
  b[4] = 45n;
  expect(readU64(map.lookup(u32(4)))).toBe(45n);
  map.close();
});

test("a mapping outlives close() and the map, and goes with its last view", async () => {
  const before = await mappings();
  let view: BigUint64Array | undefined = (() => {
    const map = mmapable(1000);
    map.update(u32(999), u64(7n));
    const buffer = map.mmap();
    map.close();
    return new BigUint64Array(buffer, 8 * 999);
  })();
  await collect();
  expect(view[0]).toBe(7n);
  view[0] = 8n;
  expect(view[0]).toBe(8n);
  expect(await mappings()).toBe(before + 1);
  view = undefined;
  expect(await mappings()).toBe(before);
});

test("offset and length", () => {
  const map = mmapable(PAGE); // 8 pages
  map.update(u32(512), u64(512n));
  const page = new BigUint64Array(map.mmap({ offset: PAGE, length: 16 }));
  expect([...page]).toEqual([512n, 0n]);
  expect(map.mmap({ offset: PAGE }).byteLength).toBe(7 * PAGE);
  expect(() => map.mmap({ offset: 8 * PAGE })).toThrow(
    `cannot map the memory of map mapped: offset ${8 * PAGE} is not in 0…${8 * PAGE - 1}`,
  );
  expect(() => map.mmap({ offset: PAGE, length: 8 * PAGE })).toThrow(RangeError);
  expect(() => map.mmap({ length: 0 })).toThrow(RangeError);
  expect(() => map.mmap({ offset: 100 })).toThrow(
    "cannot map the memory of map mapped: offset 100 is not a multiple of the page size (EINVAL)",
  );
  map.close();
});

test("a read-only mapping follows what is written elsewhere", () => {
  const map = mmapable(4);
  const memory = new BigUint64Array(map.mmap({ readonly: true }));
  map.update(u32(1), u64(5n));
  expect(memory[1]).toBe(5n);
  map.close();
});

test("maps without BPF_F_MMAPABLE", () => {
  const map = createMap({ type: "hash", name: "plain", keySize: 4, valueSize: 8, maxEntries: 4 });
  expect(() => map.mmap()).toThrow(
    "cannot map the memory of map plain: it was not made with BPF_F_MMAPABLE",
  );
  map.close();
});

test("600 MB at once, written and read at both ends, given back", async () => {
  const entries = Math.floor((600 << 20) / 256);
  const before = await mappings();
  const map = mmapable(entries, 256);
  await (async () => {
    const memory = new Uint8Array(map.mmap());
    expect(memory.length).toBe(entries * 256);
    memory[0] = 1;
    memory[memory.length - 1] = 2;
    expect(map.lookup(u32(0))![0]).toBe(1);
    expect(map.lookup(u32(entries - 1))![255]).toBe(2);
    await collect();
    expect(memory[memory.length - 1]).toBe(2);
  })();
  map.close();
  expect(await mappings()).toBe(before);
});

test("mappings by the thousand leave none behind", async () => {
  const map = mmapable(PAGE);
  const before = await mappings();
  for (let i = 0; i < 2000; i++) {
    new Uint8Array(map.mmap())[0]!++;
    if (i % 500 === 0) await collect();
  }
  expect(await mappings()).toBe(before);
  expect(new DataView(map.lookup(u32(0))!.buffer).getUint8(0)).toBe(2000 % 256);
  map.close();
});
