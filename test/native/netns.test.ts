// Network namespaces: opened by name and path, entered and always left.
import { readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  deviceType,
  interfaceIndex,
  interfaceName,
  openNetns,
  withNetns,
} from "../../src/native/bpf-loader/index.ts";
import { createNetns, type Netns, netnsPrefix } from "../lab/netns.ts";
import { run } from "../lab/process.ts";
import { collect, ROOT } from "./loader-object.ts";

let netns: Netns;
beforeAll(async () => {
  netns = await createNetns("ns");
  await netns.ip("link add only0 type veth peer name only1");
});
afterAll(() => netns?.close());

function own(): string {
  return readlinkSync("/proc/thread-self/ns/net");
}

test("by name, by path, one's own: the inode says which, and the cookie", () => {
  const byName = openNetns(netns.name);
  const byPath = openNetns(`/run/netns/${netns.name}`);
  const ours = openNetns();
  expect(byName.name).toBe(netns.name);
  expect(byName.inode).toBe(byPath.inode);
  expect(ours.name).toBeUndefined();
  expect(`net:[${ours.inode}]`).toBe(own());
  expect(byName.inode).not.toBe(ours.inode);
  expect(withNetns(byName, own)).toBe(`net:[${byName.inode}]`);
  expect(withNetns(byName, () => openNetns().inode)).toBe(byName.inode);
  expect(byName.cookie()).toBe(byPath.cookie());
  expect(byName.cookie()).not.toBe(ours.cookie());
  expect(ours.cookie()).toBeGreaterThan(0n);
  for (const handle of [byName, byPath, ours]) handle.close();
  expect(() => withNetns(byName, own)).toThrow(expect.objectContaining({ code: "CLOSED" }));
});

test("what is none", async () => {
  expect(() => openNetns("no-such-netns")).toThrow(
    expect.objectContaining({
      code: "NETNS_NOT_FOUND",
      message:
        "cannot open netns no-such-netns: there is none; ip netns list shows those with a name (ENOENT)",
    }),
  );
  for (const name of ["", ".", "..", "/proc/self/ns/mnt", "/etc/passwd", "/dev/null"]) {
    expect(() => openNetns(name)).toThrow(expect.objectContaining({ code: "NETNS_NOT_FOUND" }));
  }
  // What is left of a namespace that was unmounted, not deleted.
  const stale = `/run/netns/${netnsPrefix()}`;
  writeFileSync(stale, "");
  expect(() => openNetns(stale)).toThrow(expect.objectContaining({ code: "NETNS_NOT_FOUND" }));
  await rm(stale);
});

test("the thread comes back: after a value, an exception, a promise, a nested call", () => {
  const before = own();
  const handle = openNetns(netns.name);
  const ours = openNetns();
  expect(withNetns(handle, () => interfaceIndex("only0"))).toBeGreaterThan(0);
  expect(own()).toBe(before);
  expect(interfaceIndex("only0")).toBe(0);

  expect(() =>
    withNetns(handle, () => {
      throw new Error("inside");
    }),
  ).toThrow("inside");
  expect(own()).toBe(before);

  expect(() => withNetns(handle, async () => 1)).toThrow(TypeError);
  expect(own()).toBe(before);

  const seen = withNetns(handle, () => [own(), withNetns(ours, own), own()]);
  expect(seen).toEqual([`net:[${handle.inode}]`, before, `net:[${handle.inode}]`]);
  expect(own()).toBe(before);

  // Closed inside: the way back does not depend on it.
  withNetns(handle, () => handle.close());
  expect(own()).toBe(before);
  ours.close();
});

test("a handle keeps a namespace that was deleted; collected, it lets go", async () => {
  await using gone = await createNetns("gone");
  await gone.ip("link add last0 type veth peer name last1");
  const handle = openNetns(gone.name);
  await gone.close();
  expect(withNetns(handle, () => interfaceIndex("last0"))).toBeGreaterThan(0);
  expect(() => openNetns(gone.name)).toThrow(expect.objectContaining({ code: "NETNS_NOT_FOUND" }));
  handle.close();
});

test("a thousand times, no descriptor left", async () => {
  const handle = openNetns(netns.name);
  await collect();
  const before = readdirSync("/proc/self/fd").length;
  for (let i = 0; i < 1000; i++) withNetns(handle, () => i);
  expect(readdirSync("/proc/self/fd").length).toBe(before);
  handle.close();
});

test("interfaces of the netns the thread is in", async () => {
  await netns.ip("tuntap add dev tun0 mode tun");
  const handle = openNetns(netns.name);
  withNetns(handle, () => {
    const index = interfaceIndex("only0");
    expect(interfaceName(index)).toBe("only0");
    expect(deviceType("only0")).toBe(1);
    expect(deviceType(index)).toBe(1);
    expect(deviceType("lo")).toBe(772);
    expect(deviceType("tun0")).toBe(65534);
    expect(interfaceIndex("lo")).toBe(1);
    expect(interfaceIndex("a-name-too-long-for-any-interface")).toBe(0);
    expect(interfaceIndex("")).toBe(0);
    expect(interfaceName(9999)).toBeUndefined();
    expect(interfaceName(0)).toBeUndefined();
    expect(() => deviceType("nothing")).toThrow(
      expect.objectContaining({
        code: "NO_SUCH_INTERFACE",
        message: "cannot look up interface nothing: there is none in this netns",
      }),
    );
  });
  handle.close();
});

test("no way back: the process ends rather than act in the wrong network", async () => {
  const source = `
    import { addon } from "./src/native/bpf-loader/addon.ts";
    import { openNetns } from "./src/native/bpf-loader/index.ts";
    const handle = openNetns(${JSON.stringify(netns.name)});
    const before = addon().netnsEnter(handle.fd);
    before.close();
    addon().netnsReturn(before.number);
    console.log("went on");
  `;
  const args = ["--import", "tsx", "--input-type=module", "-e", source];
  const result = await run(process.execPath, args, { cwd: ROOT, check: false });
  expect(result.signal).toBe("SIGABRT");
  expect(result.stdout).toBe("");
  expect(result.stderr).toContain("ioamctl: cannot return to the own network namespace");
});
