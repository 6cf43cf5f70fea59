// Locks, clocks, CPUs, and BPF file systems.
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readFileSync, statfsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  clockOffset,
  flock,
  flockWait,
  funlock,
  monotonicNs,
  mountBpffs,
  possibleCpus,
} from "../../src/native/bpf-loader/index.ts";
import { run } from "../lab/process.ts";
import { LOADER, ROOT } from "./loader-object.ts";

const BPF_FS_MAGIC = 0xcafe4a11;

let folder: string;
let lock: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ioamctl-files-"));
  lock = join(folder, "lock");
});
afterAll(() => rm(folder, { recursive: true }));

test("a lock is another's until it is given back", () => {
  const a = openSync(lock, "w");
  const b = openSync(lock, "r");
  expect(flock(a)).toBe(true);
  expect(flock(a)).toBe(true);
  expect(flock(b)).toBe(false);
  funlock(a);
  expect(flock(b)).toBe(true);
  expect(flock(a)).toBe(false);
  closeSync(b);
  expect(flock(a)).toBe(true);
  closeSync(a);
  expect(() => flock(a)).toThrow(expect.objectContaining({ code: "LOCK_FAILED" }));
});

test("flockWait gets it when it is free, and does not stop the event loop", async () => {
  const holder = openSync(lock, "w");
  const waiters = Array.from({ length: 8 }, () => openSync(lock, "r"));
  expect(flock(holder)).toBe(true);
  let got = 0;
  const all = waiters.map(async (fd) => {
    await flockWait(fd);
    got++;
    await delay(1);
    closeSync(fd);
  });
  await delay(30);
  expect(got).toBe(0);
  // More waiters than libuv has threads: files are read all the same.
  expect(await readFile(lock)).toHaveLength(0);
  funlock(holder);
  await Promise.all(all);
  expect(got).toBe(8);
  expect(flock(holder)).toBe(true);
  closeSync(holder);
  await expect(flockWait(9999)).rejects.toMatchObject({ code: "LOCK_FAILED" });
});

test("a process may end while it waits", async () => {
  const holder = openSync(lock, "w");
  flock(holder);
  const source = `
    import { openSync } from "node:fs";
    import { flockWait } from "./src/native/bpf-loader/index.ts";
    flockWait(openSync(${JSON.stringify(lock)}, "r"));
    setTimeout(() => process.exit(7), 50);
  `;
  const args = ["--import", "tsx", "--input-type=module", "-e", source];
  const result = await run(process.execPath, args, { cwd: ROOT, check: false, timeout: 10_000 });
  expect(result.code).toBe(7);
  closeSync(holder);
});

test("a BPF file system is mounted where there is none, and once", async () => {
  const source = `
    import { mountBpffs } from "./src/native/bpf-loader/index.ts";
    console.log(mountBpffs(${JSON.stringify(folder)}));
  `;
  const args = ["--import", "tsx", "--input-type=module", "-e", source];
  const mounts = await Promise.all(
    Array.from({ length: 4 }, () => run(process.execPath, args, { cwd: ROOT })),
  );
  try {
    expect(mounts.map((m) => m.stdout.trim()).sort()).toEqual(["false", "false", "false", "true"]);
    expect(statfsSync(folder).type).toBe(BPF_FS_MAGIC);
    expect(mountBpffs(folder)).toBe(false);
    const lines = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
    expect(lines.filter((line) => line.includes(folder))).toHaveLength(1);
  } finally {
    execFileSync("umount", [folder]);
  }
  expect(() => mountBpffs("/no/such/directory")).toThrow(
    expect.objectContaining({
      code: "BPFFS_FAILED",
      message:
        "cannot mount a BPF file system at /no/such/directory: the directory does not exist (ENOENT)",
    }),
  );
});

test("clocks", () => {
  const before = Date.now();
  const monotonic = monotonicNs();
  const now = Number((monotonic + clockOffset().realtimeMinusMonotonicNs) / 1_000_000n);
  expect(now).toBeGreaterThanOrEqual(before - 1);
  expect(now).toBeLessThanOrEqual(Date.now() + 1);
  const fine = monotonicNs();
  const coarse = monotonicNs(true);
  expect(Number(fine - coarse)).toBeGreaterThan(-1e6);
  expect(Number(fine - coarse)).toBeLessThan(20e6);
  expect(Number(process.hrtime.bigint() - fine)).toBeLessThan(100e6);
});

test("CPUs, as the kernel counts the possible ones", () => {
  const [first, last] = readFileSync("/sys/devices/system/cpu/possible", "utf8")
    .trim()
    .split("-")
    .map(Number);
  expect(possibleCpus()).toBe((last ?? first!) - first! + 1);
});

test("importing loads nothing native", async () => {
  const source = `
    import { readFileSync } from "node:fs";
    import * as L from "./src/native/bpf-loader/index.ts";
    const maps = () => readFileSync("/proc/self/maps", "utf8");
    console.log(/libbpf|bpf-loader.node/.test(maps()));
    L.btfLayout(${JSON.stringify(LOADER)}, "shape");
    console.log(/bpf-loader.node/.test(maps()), /libbpf/.test(maps()));
  `;
  const args = ["--import", "tsx", "--input-type=module", "-e", source];
  const { stdout } = await run(process.execPath, args, { cwd: ROOT });
  expect(stdout).toBe("false\ntrue true\n");
});
