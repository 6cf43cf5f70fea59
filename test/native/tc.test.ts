// tc through clsact: attached, told, taken off; other people's filters and qdiscs stay.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import {
  attachTc,
  type BpfObject,
  detachTc,
  interfaceIndex,
  type NetnsHandle,
  openNetns,
  queryTc,
  removeQdisc,
  withNetns,
} from "../../src/native/bpf-loader/index.ts";
import { createNetns, type Netns } from "../lab/netns.ts";
import { loaded } from "./loader-object.ts";

let object: BpfObject;
let netns: Netns;
let handle: NetnsHandle | undefined;
let ifindex: number;

beforeAll(() => {
  object = loaded();
});
afterAll(() => object?.close());
beforeEach(async () => {
  netns = await createNetns("tc");
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

async function tc(...args: string[]): Promise<string> {
  return (await netns.run("tc", args)).stdout;
}

/** What tc itself prints of the interface's qdiscs, the default one left out. */
async function qdiscs(): Promise<string[]> {
  return [...(await tc("qdisc", "show", "dev", "d0")).matchAll(/qdisc (clsact|ingress)/g)].map(
    (match) => match[1]!,
  );
}

test("makes the qdisc, takes filter and qdisc away again", async () => {
  const program = object.program("count");
  const at = inside(() => attachTc(program, ifindex, "ingress"));
  expect(at.createdQdisc).toBe(true);
  expect(at.handle).toBeGreaterThan(0);
  expect(at.priority).toBeGreaterThan(0);
  expect(inside(() => queryTc(ifindex, "ingress"))).toEqual([
    {
      handle: at.handle,
      priority: at.priority,
      chain: 0,
      kind: "bpf",
      name: `count:[${program.id}]`,
      programId: program.id,
    },
  ]);
  expect(await tc("filter", "show", "dev", "d0", "ingress")).toContain(
    `count:[${program.id}] direct-action`,
  );
  const egress = inside(() => attachTc(program, ifindex, "egress"));
  expect(egress.createdQdisc).toBe(false);
  expect(inside(() => queryTc(ifindex, "egress"))).toHaveLength(1);

  expect(inside(() => removeQdisc(ifindex))).toBe(false);
  expect(detach(at, "ingress", program.id)).toBe(true);
  expect(detach(at, "ingress", program.id)).toBe(false);
  expect(inside(() => removeQdisc(ifindex))).toBe(false);
  expect(detach(egress, "egress", program.id)).toBe(true);
  expect(inside(() => removeQdisc(ifindex))).toBe(true);
  expect(inside(() => removeQdisc(ifindex))).toBe(false);
  expect(await qdiscs()).toEqual([]);
});

function detach(
  at: { handle: number; priority: number },
  direction: "ingress" | "egress",
  programId: number,
): boolean {
  return inside(() => detachTc(ifindex, direction, at.handle, at.priority, programId));
}

test("a foreign clsact qdisc and its filters stay", async () => {
  await tc("qdisc", "add", "dev", "d0", "clsact");
  const filter = "filter add dev d0 egress protocol ipv6 prio 10 u32 match u32 0 0";
  await tc(...filter.split(" "));
  const before = await tc("filter", "show", "dev", "d0", "egress");

  const program = object.program("count");
  const at = inside(() => attachTc(program, ifindex, "egress"));
  expect(at.createdQdisc).toBe(false);
  const filters = inside(() => queryTc(ifindex, "egress"));
  expect(new Set(filters.map((f) => f.kind))).toEqual(new Set(["bpf", "u32"]));
  expect(filters.find((f) => f.kind === "u32")).toMatchObject({ priority: 10, programId: 0 });
  expect(detach(at, "egress", program.id)).toBe(true);
  expect(inside(() => removeQdisc(ifindex))).toBe(false);
  expect(await tc("filter", "show", "dev", "d0", "egress")).toBe(before);
  expect(await qdiscs()).toEqual(["clsact"]);
});

test("a filter in another chain, or a shared block, is a reason to stay", async () => {
  inside(() => attachTc(object.program("count"), ifindex, "ingress"));
  await tc(..."filter add dev d0 ingress chain 5 protocol ip prio 3 u32 match u32 0 0".split(" "));
  const [ours] = inside(() => queryTc(ifindex, "ingress")).filter((f) => f.programId > 0);
  expect(detach(ours!, "ingress", ours!.programId)).toBe(true);
  expect(inside(() => queryTc(ifindex, "ingress")).at(-1)).toMatchObject({ chain: 5, kind: "u32" });
  expect(inside(() => removeQdisc(ifindex))).toBe(false);

  await netns.ip("link add d1 type veth peer name p1");
  await tc(..."qdisc add dev d1 ingress_block 7 clsact".split(" "));
  expect(inside(() => removeQdisc(interfaceIndex("d1")))).toBe(false);
});

test("detaches only what still is ours", () => {
  const program = object.program("count");
  const other = object.program("touch");
  const at = inside(() => attachTc(program, ifindex, "ingress"));
  expect(detach(at, "ingress", other.id)).toBe(false);
  expect(detach(at, "egress", program.id)).toBe(false);
  expect(detach({ ...at, handle: at.handle + 1 }, "ingress", program.id)).toBe(false);
  expect(detach({ ...at, priority: at.priority - 1 }, "ingress", program.id)).toBe(false);
  expect(inside(() => detachTc(9999, "ingress", at.handle, at.priority, program.id))).toBe(false);
  expect(inside(() => queryTc(ifindex, "ingress"))).toHaveLength(1);
});

test("priorities: given, or before the ones chosen earlier", () => {
  const first = inside(() => attachTc(object.program("count"), ifindex, "ingress"));
  const second = inside(() => attachTc(object.program("touch"), ifindex, "ingress"));
  expect(second.priority).toBeLessThan(first.priority);
  const given = inside(() => attachTc(object.program("emit"), ifindex, "ingress", { priority: 7 }));
  expect(given.priority).toBe(7);
  const order = inside(() => queryTc(ifindex, "ingress")).map((f) => f.name.split(":")[0]);
  expect(order).toEqual(["emit", "touch", "count"]);
  expect(() => attachTc(object.program("emit"), ifindex, "ingress", { priority: 70000 })).toThrow(
    RangeError,
  );
});

test("an ingress qdisc has an ingress hook and no other", async () => {
  await tc("qdisc", "add", "dev", "d0", "ingress");
  const program = object.program("count");
  const at = inside(() => attachTc(program, ifindex, "ingress"));
  expect(at.createdQdisc).toBe(false);
  expect(inside(() => queryTc(ifindex, "ingress"))).toHaveLength(1);
  expect(inside(() => queryTc(ifindex, "egress"))).toEqual([]);
  expect(() => inside(() => attachTc(program, ifindex, "egress"))).toThrow(
    expect.objectContaining({ code: "TC_FOREIGN_QDISC" }),
  );
  expect(detach(at, "ingress", program.id)).toBe(true);
  expect(inside(() => removeQdisc(ifindex))).toBe(false);
  expect(await qdiscs()).toEqual(["ingress"]);
});

test("hundreds of filters are all listed", async () => {
  const lines = Array.from(
    { length: 300 },
    (_, i) => `filter add dev d0 ingress protocol ip prio ${i + 1} u32 match u32 0 0`,
  );
  await tc("qdisc", "add", "dev", "d0", "clsact");
  await netns.run("tc", ["-batch", "-"], { input: `${lines.join("\n")}\n` });
  // A u32 filter is listed with the hash table that it stands in.
  const filters = inside(() => queryTc(ifindex, "ingress"));
  expect(new Set(filters.map((f) => f.priority)).size).toBe(300);
  expect(inside(() => removeQdisc(ifindex))).toBe(false);
});

test("what cannot be attached", async () => {
  expect(() => inside(() => attachTc(object.program("count"), 9999, "ingress"))).toThrow(
    expect.objectContaining({
      code: "NO_SUCH_INTERFACE",
      message:
        "cannot attach program count to interface 9999 (ingress, tc): there is no such interface in this netns",
    }),
  );
  expect(() => inside(() => queryTc(9999, "ingress"))).toThrow(
    expect.objectContaining({ code: "NO_SUCH_INTERFACE" }),
  );
  expect(() => inside(() => attachTc(object.program("drop"), ifindex, "ingress"))).toThrow(
    expect.objectContaining({ code: "ATTACH_FAILED" }),
  );
  // The qdisc made for it is gone again.
  expect(await qdiscs()).toEqual([]);
});
