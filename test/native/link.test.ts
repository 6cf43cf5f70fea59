// TCX and XDP: attached, listed, pinned, taken off; other people's programs stay.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import {
  attachTcx,
  attachXdp,
  type BpfLink,
  type BpfObject,
  interfaceIndex,
  linkById,
  mountBpffs,
  type NetnsHandle,
  openNetns,
  openPinnedLink,
  openPinnedMap,
  openPinnedProgram,
  queryTcx,
  unpin,
  withNetns,
} from "../../src/native/bpf-loader/index.ts";
import { createNetns, type Netns } from "../lab/netns.ts";
import { collect, LOADER, loaded, ROOT } from "./loader-object.ts";

const WITHOUT_TCX = fileURLToPath(new URL("without-tcx.py", import.meta.url));

let ours: BpfObject;
let theirs: BpfObject;
let netns: Netns;
let handle: NetnsHandle | undefined;
let bpffs: string;
let ifindex: number;

beforeAll(async () => {
  ours = loaded();
  theirs = loaded();
  bpffs = await mkdtemp(join(tmpdir(), "ioamctl-bpffs-"));
  expect(mountBpffs(bpffs)).toBe(true);
  expect(mountBpffs(bpffs)).toBe(false);
});
afterAll(async () => {
  ours.close();
  theirs.close();
  execFileSync("umount", [bpffs]);
  await rm(bpffs, { recursive: true });
});
beforeEach(async () => {
  netns = await createNetns("link");
  await netns.ip("link add d0 type veth peer name p0", "link set d0 up");
  handle = openNetns(netns.name);
  ifindex = inside(() => interfaceIndex("d0"));
});
afterEach(async () => {
  handle?.close();
  await netns.close();
});

function inside<T>(action: () => T): T {
  return withNetns(handle!, action);
}

function attach(object: BpfObject, options?: { first?: boolean }): BpfLink {
  return inside(() => attachTcx(object.program("count"), ifindex, "ingress", options));
}

function programs(): number[] {
  return inside(() => queryTcx(ifindex, "ingress")).map((entry) => entry.programId);
}

test("attached, told, taken off; the others go on", () => {
  const foreign = attach(theirs);
  const link = attach(ours);
  const id = ours.program("count").id;
  expect(programs()).toEqual([theirs.program("count").id, id]);
  expect(link.info()).toEqual({ programId: id, ifindex, attachType: "ingress", type: "tcx" });
  expect(inside(() => queryTcx(ifindex, "ingress"))[1]).toEqual({ programId: id, linkId: link.id });
  expect(inside(() => queryTcx(ifindex, "egress"))).toEqual([]);
  const egress = inside(() => attachTcx(ours.program("count"), ifindex, "egress"));
  expect(egress.info().attachType).toBe("egress");
  egress.close();
  link.close();
  link.close();
  expect(programs()).toEqual([theirs.program("count").id]);
  expect(inside(() => queryTcx(ifindex, "egress"))).toEqual([]);
  foreign.close();
  expect(programs()).toEqual([]);
});

test("first in order if asked to", () => {
  const foreign = attach(theirs);
  const link = attach(ours, { first: true });
  expect(programs()).toEqual([ours.program("count").id, theirs.program("count").id]);
  link.close();
  foreign.close();
});

test("detach() takes effect whoever holds the link", () => {
  const link = attach(ours);
  const same = linkById(link.id);
  same.detach();
  expect(programs()).toEqual([]);
  expect(link.info().ifindex).toBe(0);
  same.close();
  link.close();
  expect(() => linkById(2 ** 32 - 1)).toThrow(expect.objectContaining({ code: "NO_SUCH_LINK" }));
});

test("pinned it outlives its descriptor; unpinned it ends", () => {
  const path = join(bpffs, "link");
  const link = attach(ours);
  link.pin(path);
  expect(() => link.pin(path)).toThrow(expect.objectContaining({ code: "PIN_EXISTS" }));
  link.close();
  expect(programs()).toEqual([ours.program("count").id]);
  const adopted = openPinnedLink(path);
  expect(adopted.id).toBe(link.id);
  expect(adopted.info().programId).toBe(ours.program("count").id);
  expect(adopted.unpin(path)).toBe(true);
  expect(adopted.unpin(path)).toBe(false);
  expect(programs()).toEqual([ours.program("count").id]);
  adopted.close();
  expect(programs()).toEqual([]);
});

test("a link that nobody holds ends with the collector", async () => {
  attach(ours);
  await collect();
  expect(programs()).toEqual([]);
});

test("maps and programs pinned and adopted, each as what it is", () => {
  const map = join(bpffs, "map");
  const program = join(bpffs, "program");
  ours.map("table").pin(map);
  ours.program("count").pin(program);
  const adoptedMap = openPinnedMap(map);
  expect(adoptedMap).toMatchObject({ id: ours.map("table").id, name: "table" });
  const adoptedProgram = openPinnedProgram(program);
  expect(adoptedProgram).toMatchObject({ id: ours.program("count").id, name: "count" });
  expect(() => openPinnedProgram(map)).toThrow(
    expect.objectContaining({
      code: "WRONG_PIN",
      message: `cannot open pinned program ${map}: it is a map`,
    }),
  );
  expect(() => openPinnedLink(program)).toThrow(expect.objectContaining({ code: "WRONG_PIN" }));
  adoptedMap.close();
  adoptedProgram.close();
  expect(unpin(map)).toBe(true);
  expect(unpin(program)).toBe(true);
  expect(existsSync(map)).toBe(false);
  expect(() => openPinnedMap(map)).toThrow(
    expect.objectContaining({
      code: "NO_SUCH_MAP",
      message: `cannot open pinned map ${map}: there is no such file (ENOENT)`,
    }),
  );
  expect(() => openPinnedMap("/etc/passwd")).toThrow(
    expect.objectContaining({ code: "WRONG_PIN" }),
  );
  expect(() => ours.map("table").pin("/tmp/ioamctl-no-bpffs")).toThrow(
    expect.objectContaining({ code: "PIN_FAILED" }),
  );
  expect(() => ours.map("table").pin(join(bpffs, "a/b"))).toThrow(
    expect.objectContaining({ code: "PIN_FAILED" }),
  );
});

test("the interface goes away under the link", async () => {
  const link = attach(ours);
  await netns.ip("link del d0");
  expect(link.info().ifindex).toBe(0);
  link.close();
});

test("what cannot be attached", () => {
  expect(() => inside(() => attachTcx(ours.program("count"), 9999, "ingress"))).toThrow(
    expect.objectContaining({
      code: "NO_SUCH_INTERFACE",
      message:
        "cannot attach program count to interface 9999 (ingress, TCX): there is no such interface in this netns (ENODEV)",
    }),
  );
  // An XDP program at tc: EINVAL, but this kernel has TCX.
  expect(() => inside(() => attachTcx(ours.program("drop"), ifindex, "ingress"))).toThrow(
    expect.objectContaining({ code: "ATTACH_FAILED" }),
  );
  expect(() => inside(() => queryTcx(9999, "ingress"))).toThrow(
    expect.objectContaining({ code: "NO_SUCH_INTERFACE" }),
  );
});

test("a kernel without TCX says so, and has nothing on that hook", async () => {
  const source = `
    import * as L from "./src/native/bpf-loader/index.ts";
    const object = L.openObject(${JSON.stringify(LOADER)});
    object.load();
    const index = L.interfaceIndex("d0");
    try {
      L.attachTcx(object.program("count"), index, "ingress");
    } catch (error) {
      console.log(error.code, error.message);
    }
    console.log(JSON.stringify(L.queryTcx(index, "ingress")));
    console.log(L.attachTc(object.program("count"), index, "ingress").createdQdisc);
  `;
  const { stdout } = await netns.run(
    "python3",
    [WITHOUT_TCX, process.execPath, "--import", "tsx", "--input-type=module", "-e", source],
    { cwd: ROOT },
  );
  expect(stdout.split("\n")).toEqual([
    `TCX_UNSUPPORTED cannot attach program count to interface ${ifindex} (ingress, TCX): needs Linux 6.6 or later (EINVAL)`,
    "[]",
    "true",
    "",
  ]);
});

test("XDP: native or generic, one at a time", async () => {
  await netns.ip("link add v0 type veth peer name v1");
  const veth = inside(() => interfaceIndex("v0"));
  const drop = ours.program("drop");
  for (const mode of [undefined, "native", "generic"] as const) {
    const link = inside(() => attachXdp(drop, veth, mode));
    expect(link.info()).toEqual({
      programId: drop.id,
      ifindex: veth,
      attachType: "xdp",
      type: "xdp",
    });
    expect(() => inside(() => attachXdp(drop, veth, mode))).toThrow(
      expect.objectContaining({ code: "XDP_BUSY" }),
    );
    link.close();
  }
  expect(() => inside(() => attachXdp(drop, interfaceIndex("lo"), "native"))).toThrow(
    expect.objectContaining({ code: "XDP_UNSUPPORTED" }),
  );
});
