// BPF objects: opened, adjusted, loaded; what goes wrong and how that is said.
import { readdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { IoamctlError } from "../../src/errors.ts";
import {
  type BpfObject,
  btfLayout,
  createMap,
  errnoName,
  openObject,
} from "../../src/native/bpf-loader/index.ts";
import { compiled, frame, LITTLE, LOADER, loaded, readU64, u32, u64 } from "./loader-object.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ioamctl-object-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** A variable of .bss, as the programs left it. */
function bss(object: BpfObject, name: string): bigint {
  const { offset, size } = object.layout(".bss").fields[name]!;
  const view = new DataView(object.map(".bss").mmap());
  return size === 8 ? view.getBigUint64(offset, LITTLE) : BigInt(view.getUint32(offset, LITTLE));
}

function caught(action: () => unknown): IoamctlError {
  try {
    action();
  } catch (error) {
    if (error instanceof IoamctlError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

test("opens, names, loads and runs", () => {
  const object = loaded();
  expect(object.names().programs).toEqual(["count", "touch", "emit", "redirect", "drop"]);
  expect(object.names().maps).toEqual(expect.arrayContaining(["table", "memory", "outer", "ring"]));
  const program = object.program("count");
  expect(program.name).toBe("count");
  expect(program.type).toBe("sched_cls");
  expect(program.id).toBeGreaterThan(0);
  expect(program.tag).toMatch(/^[0-9a-f]{16}$/);
  expect(program.mapIds).toContain(object.map("memory").id);
  expect(program.testRun({ data: frame(), repeat: 3 }).retval).toBe(-1);
  expect(bss(object, "runs")).toBe(3n);
  expect(object.program("count")).toBe(program);
  object.close();
  object.close();
  // What was handed out outlives the object.
  expect(program.testRun({ data: frame() }).retval).toBe(-1);
  program.close();
  program.close();
  expect(caught(() => program.testRun({ data: frame() }))).toMatchObject({
    code: "CLOSED",
    message: "program count was closed",
  });
});

test(".rodata written before load() is what programs see, and not after", () => {
  const object = openObject(LOADER);
  const { offset } = btfLayout(LOADER, ".rodata").fields.answer!;
  const view = new DataView(object.rodata());
  expect(view.getUint32(offset, LITTLE)).toBe(42);
  view.setUint32(offset, 4711, LITTLE);
  expect(new DataView(object.rodata()).getUint32(offset, LITTLE)).toBe(4711);
  const data = btfLayout(LOADER, ".data").fields.first_value!;
  new DataView(object.initialValue(".data")).setUint32(data.offset, 99, LITTLE);
  object.load();
  view.setUint32(offset, 1, LITTLE);
  object.program("count").testRun({ data: frame() });
  expect(bss(object, "seen_answer")).toBe(4711n);
  expect(new DataView(object.map(".data").mmap()).getUint32(data.offset, LITTLE)).toBe(99);
  const rodata = object.map(".rodata");
  expect(caught(() => rodata.mmap())).toMatchObject({ code: "MAP_FROZEN" });
  expect(new DataView(rodata.mmap({ readonly: true })).getUint32(offset, LITTLE)).toBe(4711);
  object.close();
});

test("map sizes, also of the template of a map-in-map", () => {
  const object = openObject(LOADER);
  object.setMaxEntries("table", 3);
  object.setMaxEntries("inner_a", 64);
  object.setMaxEntries("inner_b", 64);
  object.setInnerMaxEntries("outer", 64);
  expect(caught(() => object.setInnerMaxEntries("outer", 32)).code).toBe("MAP_MISMATCH");
  expect(caught(() => object.setInnerMaxEntries("table", 32)).code).toBe("MAP_MISMATCH");
  expect(() => object.setMaxEntries("table", 0)).toThrow(RangeError);
  object.load();
  expect(object.map("table").maxEntries).toBe(3);
  object.map("outer").update(u32(0), object.map("inner_b"));
  expect(caught(() => object.setMaxEntries("table", 4))).toMatchObject({ code: "ALREADY_LOADED" });
  for (let i = 0; i < 3; i++) object.map("table").update(u32(i), u64(1n));
  expect(caught(() => object.map("table").update(u32(9), u64(1n)))).toMatchObject({
    code: "MAP_FULL",
    message: "cannot write map table: it is full, or the key is outside the array (E2BIG)",
  });
  object.close();
});

test("a map that exists is used, one of another kind is not", () => {
  const first = loaded();
  const other = createMap({ type: "array", keySize: 4, valueSize: 16, maxEntries: 4 });
  const second = loaded((object) => {
    object.reuseMap("memory", first.map("memory"));
    expect(caught(() => object.reuseMap("table", other))).toMatchObject({ code: "MAP_MISMATCH" });
  });
  expect(second.map("memory").id).toBe(first.map("memory").id);
  expect(second.map("table").id).not.toBe(first.map("table").id);
  const counter = first.layout("shape").fields.counters!.offset / 8;
  const memory = new BigUint64Array(first.map("memory").mmap());
  first.program("count").testRun({ data: frame() });
  second.program("count").testRun({ data: frame() });
  expect(memory[counter]).toBe(2n);
  first.close();
  second.close();
});

test("a disabled program is left out", () => {
  const object = loaded((o) => o.disableProgram("redirect"));
  expect(object.program("count").name).toBe("count");
  expect(caught(() => object.program("redirect"))).toMatchObject({ code: "NOT_LOADED" });
  object.close();
});

test("what is not there", () => {
  const object = openObject(LOADER);
  expect(caught(() => object.map("table"))).toMatchObject({ code: "NOT_LOADED" });
  expect(caught(() => object.map("nothing"))).toMatchObject({
    code: "NO_SUCH_MAP",
    message: `map nothing of ${LOADER}: the file has none of that name (ENOENT)`,
  });
  expect(caught(() => object.program("nothing")).code).toBe("NO_SUCH_PROGRAM");
  expect(caught(() => object.disableProgram("nothing")).code).toBe("NO_SUCH_PROGRAM");
  expect(caught(() => object.layout("nothing")).code).toBe("NO_SUCH_STRUCT");
  expect(caught(() => object.initialValue("table")).code).toBe("BPF_FAILED");
  object.close();
  expect(caught(() => object.load())).toMatchObject({ code: "CLOSED" });
  expect(caught(() => openObject("/no/such/file.bpf.o"))).toMatchObject({
    code: "NO_SUCH_FILE",
    message: "cannot open BPF object /no/such/file.bpf.o: there is no such file (ENOENT)",
  });
});

test("a file that is no BPF object", () => {
  const file = join(folder, "text.bpf.o");
  writeFileSync(file, "not an object");
  const error = caught(() => openObject(file));
  expect(error.code).toBe("BAD_OBJECT");
  expect(error.message).not.toContain("\n");
  expect(error.detail).toContain("libbpf: ");
});

test("the verifier's refusal: one line, and the whole log behind it", () => {
  const object = openObject(compiled("rejected"));
  object.disableProgram("talkative");
  const error = caught(() => object.load());
  expect(error.code).toBe("BPF_LOAD");
  expect(error.message).toBe(
    `cannot load ${compiled("rejected")}: the verifier says of program unchecked: "R0 invalid mem access 'map_value_or_null'" (EACCES)`,
  );
  expect(errnoName(error)).toBe("EACCES");
  expect(error.detail).toContain("BEGIN PROG LOAD LOG");
  expect(error.detail).toContain("call bpf_map_lookup_elem#1");
  // Nothing of it is left.
  expect(caught(() => object.map("values")).code).toBe("CLOSED");
});

test("a verifier's log of megabytes is there from its beginning to its end", () => {
  const object = openObject(compiled("rejected"));
  object.disableProgram("unchecked");
  const error = caught(() => object.load());
  expect(error.code).toBe("BPF_LOAD");
  expect(error.message).toContain("of program talkative");
  expect(error.message).not.toContain("\n");
  expect(error.detail!.length).toBeGreaterThan(1 << 20);
  expect(error.detail).toContain("END PROG LOAD LOG");
  expect(error.detail).toMatch(/\n0: /);
});

test("too large a map", () => {
  const object = openObject(LOADER);
  object.setMaxEntries("memory", 2 ** 32 - 1);
  const error = caught(() => object.load());
  expect(["NO_MEMORY", "BPF_LOAD"]).toContain(error.code);
  expect(error.message).not.toContain("\n");
});

test("libbpf never writes to standard error", () => {
  const written: unknown[] = [];
  const write = process.stderr.write;
  process.stderr.write = ((chunk: unknown) => written.push(chunk) > 0) as typeof write;
  try {
    const object = openObject(compiled("rejected"));
    object.disableProgram("talkative");
    caught(() => object.load());
  } finally {
    process.stderr.write = write;
  }
  expect(written).toEqual([]);
});

test("loading again and again leaves no descriptor", () => {
  loaded().close();
  const before = readdirSync("/proc/self/fd").length;
  for (let i = 0; i < 20; i++) {
    const object = loaded();
    const map = object.map("table");
    map.update(u32(1), u64(1n));
    expect(readU64(map.lookup(u32(1)))).toBe(1n);
    map.close();
    object.program("count").close();
    object.close();
  }
  expect(readdirSync("/proc/self/fd").length).toBe(before);
});
