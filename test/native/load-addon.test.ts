// The loader of addons: what it says when one is missing, lacks its library, or is none.
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadAddon } from "../../src/native/load-addon.ts";
import { ROOT } from "./loader-object.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ioamctl-addon-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("the one that make build made", () => {
  expect(loadAddon("bpf-loader")).toHaveProperty("btfLayout");
});

test("not built", () => {
  expect(() => loadAddon("bpf-loader", folder)).toThrow(
    expect.objectContaining({
      code: "NATIVE_MISSING",
      message: `${folder}/bpf-loader.node does not exist: run make build`,
    }),
  );
});

test.each([
  ["bpf-loader", "libbpf.so.1", "LIBBPF_MISSING", "run apt-get install libbpf1"],
  ["node-netlink", "libmnl.so.0", "LIBMNL_MISSING", "run apt-get install libmnl0"],
])("%s without %s", (name, library, code, remedy) => {
  const addon = readFileSync(join(ROOT, `native/build/Release/${name}.node`));
  // The same addon, wanting a library that no machine has.
  const at = addon.indexOf(`${library}\0`);
  expect(at).toBeGreaterThan(0);
  addon.write(`${library.slice(0, -1)}9\0`, at);
  writeFileSync(join(folder, `no-${code}.node`), addon);
  expect(() => loadAddon(`no-${code}`, folder)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(remedy) }),
  );
});

test("not an addon of this system", () => {
  writeFileSync(join(folder, "text.node"), "not an addon");
  expect(() => loadAddon("text", folder)).toThrow(
    expect.objectContaining({
      code: "NATIVE_UNUSABLE",
      message: expect.stringMatching(/^cannot load .*text\.node: .*; build it .* make build$/),
    }),
  );
});
