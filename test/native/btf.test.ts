// Struct layouts out of BTF, beside what the compiler itself says.
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { btfLayout, openObject } from "../../src/native/bpf-loader/index.ts";
import { run } from "../lab/process.ts";
import { LITTLE, LOADER } from "./loader-object.ts";

test("offsets and sizes as sizeof and offsetof have them", () => {
  const { size, fields } = btfLayout(LOADER, "shape");
  // The compiler wrote these into .rodata, in this order.
  const object = openObject(LOADER);
  const { offset, count } = object.layout(".rodata").fields.offsets!;
  const rodata = new DataView(object.rodata());
  const said = Array.from({ length: count! }, (_, i) =>
    Number(rodata.getBigUint64(offset + 8 * i, LITTLE)),
  );
  object.close();
  const found = ["key", "key.port", "word", "octets", "counters", "last"].map(
    (name) => fields[name]!.offset,
  );
  expect([size, ...found]).toEqual(said);

  expect(fields.key!.size).toBe(18);
  expect(fields["key.address"]).toEqual({ offset: 0, size: 16, count: 16 });
  expect(fields["key.port"]!.size).toBe(2);
  expect(fields.counters).toMatchObject({ size: 40, count: 5 });
  expect(fields.last!.size).toBe(1);
  // Bit fields have no offset in octets.
  expect(fields).not.toHaveProperty("low");
  expect(fields).not.toHaveProperty("high");
});

test("variables of a section lie where the symbol table says", () => {
  const { fields } = btfLayout(LOADER, ".bss");
  expect(Object.keys(fields).sort()).toEqual(["runs", "seen_answer", "seen_cpu", "seen_shape"]);
  const places = Object.values(fields).map((f) => f.offset);
  expect(new Set(places).size).toBe(4);
  expect(fields.runs!.size).toBe(8);
  expect(fields.seen_cpu!.size).toBe(4);
});

test("what is not there", async () => {
  expect(() => btfLayout(LOADER, "no_such_struct")).toThrow(
    expect.objectContaining({ code: "NO_SUCH_STRUCT" }),
  );
  expect(() => btfLayout(LOADER, ".none")).toThrow(
    expect.objectContaining({ code: "NO_SUCH_STRUCT" }),
  );
  expect(() => btfLayout("/no/such/file", "shape")).toThrow(
    expect.objectContaining({ code: "NO_SUCH_FILE" }),
  );
  const folder = await mkdtemp(join(tmpdir(), "ioamctl-btf-"));
  const source = join(folder, "plain.c");
  const plain = join(folder, "plain.o");
  writeFileSync(source, '__attribute__((section("tc"))) int nothing(void *skb) { return 0; }\n');
  await run("clang", ["-O2", "-target", "bpf", "-c", source, "-o", plain]);
  expect(() => btfLayout(plain, "shape")).toThrow(expect.objectContaining({ code: "NO_BTF" }));
  await rm(folder, { recursive: true });
});
