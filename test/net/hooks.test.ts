// Attaching and detaching on real interfaces: what is ours goes without a trace, what is not stays.
import { existsSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Direction, Meter } from "../../src/meter/index.ts";
import {
  interfaceIndex,
  linkById,
  openNetns,
  queryTc,
  queryTcx,
  withNetns,
} from "../../src/native/bpf-loader/index.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { createNetns, type Netns } from "../lab/netns.ts";
import { packetOctets } from "../lab/packet.ts";
import { type Station, station } from "../lab/station.ts";
import { type KernelParts, kernelParts, partsGone, pinDirectory } from "./kernel-parts.ts";
import { witness } from "./witness.ts";

const OPTIONS = { maxFlows: 1024 };
const FRAME = packetOctets(dexPacket());

let netns: Netns;
let sender: Station;

beforeEach(async () => {
  netns = await createNetns("hooks");
  await netns.ip("link add d0 type veth peer name p0", "link set d0 up", "link set p0 up");
  sender = station(netns);
});
afterEach(async () => {
  removeMeter();
  await netns.close();
});

function removeMeter(): void {
  const meter = Meter.open(netns.name);
  meter?.remove();
  meter?.close();
}

function create(): Meter {
  return Meter.openOrCreate({ netns: netns.name, ...OPTIONS });
}

function inside<T>(action: (ifindex: number) => T): T {
  const handle = openNetns(netns.name);
  try {
    return withNetns(handle, () => action(interfaceIndex("d0")));
  } finally {
    handle.close();
  }
}

/** Ids of the programs on a hook of d0, in the order they run. */
function programs(hook: "tcx" | "tc", direction: Direction): number[] {
  const query = hook === "tcx" ? queryTcx : queryTc;
  return inside((ifindex) => query(ifindex, direction).map((one) => one.programId));
}

async function tc(args: string): Promise<string> {
  return (await netns.run("tc", args.split(" "))).stdout;
}

async function hasClsact(): Promise<boolean> {
  return (await tc("qdisc show dev d0")).includes("clsact");
}

/** One DEX packet passes a hook of d0. */
async function pass(direction: Direction): Promise<void> {
  await sender.send(direction === "ingress" ? "p0" : "d0", FRAME);
}

/** Packets that the meter counted, by direction. */
function counted(meter: Meter): Partial<Record<Direction, number>> {
  const flows = meter.dump().map((flow) => [flow.flowDirection, Number(flow.packetDeltaCount)]);
  return Object.fromEntries(flows) as Partial<Record<Direction, number>>;
}

describe.each(["tcx", "tc"] as const)("%s", (hook) => {
  const directions = ["ingress", "egress"] as const;

  test("attached twice is attached once", async () => {
    const meter = create();
    const { attachment, created } = meter.attach("d0", "ingress", { hook });
    expect(created).toBe(true);
    expect(attachment).toEqual({
      netns: netns.name,
      interfaceName: "d0",
      ifindex: inside((ifindex) => ifindex),
      direction: "ingress",
      hook,
      programId: programs(hook, "ingress")[0],
    });
    const other = create();
    for (const again of [meter, other]) {
      expect(again.attach("d0", "ingress", { hook })).toEqual({ attachment, created: false });
      expect(again.attach("d0", "ingress")).toEqual({ attachment, created: false });
      expect(again.attachments()).toEqual([attachment]);
    }
    expect(programs(hook, "ingress")).toEqual([attachment.programId]);
    await pass("ingress");
    await eventually("it is counted", () => counted(other).ingress === 1);
    other.close();
    meter.close();
  });

  test("goes on when the process that attached it has let go", async () => {
    const meter = create();
    meter.attach("d0", "ingress", { hook });
    meter.close();
    await pass("ingress");
    const later = Meter.open(netns.name)!;
    await eventually("it is counted", () => counted(later).ingress === 1);
    expect(later.attachments()).toHaveLength(1);
    later.close();
  });

  test("both directions of one interface", async () => {
    const meter = create();
    for (const direction of directions) meter.attach("d0", direction, { hook });
    expect(meter.attachments().map((one) => one.direction).sort()).toEqual(["egress", "ingress"]);
    await pass("ingress");
    await pass("egress");
    await pass("egress");
    await eventually("they are counted", () => counted(meter).egress === 2);
    expect(counted(meter)).toEqual({ ingress: 1, egress: 2 });
    expect(meter.detach("d0", "ingress").map((one) => one.direction)).toEqual(["ingress"]);
    expect(meter.detach("d0", "ingress")).toEqual([]);
    await pass("ingress");
    await pass("egress");
    await eventually("they are counted", () => counted(meter).egress === 3);
    expect(counted(meter)).toEqual({ ingress: 1, egress: 3 });
    expect(meter.detach("d0").map((one) => one.direction)).toEqual(["egress"]);
    expect(meter.attachments()).toEqual([]);
    for (const direction of directions) expect(programs(hook, direction)).toEqual([]);
    expect(await hasClsact()).toBe(false);
    meter.close();
  });

  test("remove() leaves no program, map, pin or qdisc", async () => {
    const inode = inside(() => 0) + (await makeAndRemove(hook));
    await partsGone(inode, left);
    expect(await hasClsact()).toBe(false);
    for (const direction of directions) expect(programs(hook, direction)).toEqual([]);
    expect(Meter.open(netns.name)).toBeUndefined();
  });

  test("the interface is deleted while attached", async () => {
    const meter = create();
    meter.attach("d0", "ingress", { hook });
    meter.attach("d0", "egress", { hook });
    await pass("ingress");
    await eventually("it is counted", () => counted(meter).ingress === 1);
    await netns.ip("link del d0");
    expect(meter.attachments()).toEqual([]);
    expect(() => meter.attach("d0", "ingress")).toThrow(
      expect.objectContaining({ code: "NO_SUCH_INTERFACE" }),
    );
    expect(meter.dump()).toHaveLength(1);

    await netns.ip("link add d0 type veth peer name p0", "link set d0 up", "link set p0 up");
    await using fresh = station(netns);
    expect(meter.attach("d0", "ingress", { hook }).created).toBe(true);
    await fresh.send("p0", FRAME);
    await eventually("the new one counts", () => Number(meter.counters().dexPackets) === 2);
    meter.remove();
    expect(programs(hook, "ingress")).toEqual([]);
    expect(await hasClsact()).toBe(false);
    expect(existsSync(pinDirectory(meter.netnsInode))).toBe(false);
    meter.close();
  });

  test("somebody else takes it off: it is not attached, and can be again", async () => {
    const meter = create();
    meter.attach("d0", "ingress", { hook });
    if (hook === "tc") await tc("qdisc del dev d0 clsact");
    else inside((ifindex) => linkById(queryTcx(ifindex, "ingress")[0]!.linkId).detach());
    expect(meter.attachments()).toEqual([]);
    const { attachment, created } = meter.attach("d0", "ingress", { hook });
    expect(created).toBe(true);
    expect(meter.attachments()).toEqual([attachment]);
    expect(programs(hook, "ingress")).toEqual([attachment.programId]);
    await pass("ingress");
    await eventually("it is counted", () => counted(meter).ingress === 1);
    meter.remove();
    expect(programs(hook, "ingress")).toEqual([]);
    expect(await hasClsact()).toBe(false);
    meter.close();
  });

  test("somebody else's programs go on, before, while and after ours is there", async () => {
    using before = witness(netns, "d0", { hook });
    const meter = create();
    meter.attach("d0", "ingress", { hook });
    using after = witness(netns, "d0", { hook });
    const run = programs(hook, "ingress");
    expect(run).toHaveLength(3);
    expect(new Set(run)).toContain(meter.attachments()[0]!.programId);
    await pass("ingress");
    await eventually("all have seen it", () => before.count("packets") + after.count("packets") === 2);
    expect(counted(meter)).toEqual({ ingress: 1 });
    meter.remove();
    meter.close();
    expect(programs(hook, "ingress").sort()).toEqual([before.program.id, after.program.id].sort());
    await pass("ingress");
    await eventually("both see it", () => before.count("packets") + after.count("packets") === 4);
    expect(await hasClsact()).toBe(hook === "tc");
  });
});

let left: KernelParts;

/** In a function of its own, so that nothing holds the meter's mapping when it has returned. */
async function makeAndRemove(hook: "tcx" | "tc"): Promise<number> {
  const meter = create();
  const inode = meter.netnsInode;
  try {
    meter.attach("d0", "ingress", { hook });
    meter.attach("d0", "egress", { hook });
    await pass("ingress");
    await eventually("it is counted", () => counted(meter).ingress === 1);
    left = await kernelParts(inode);
    expect(left.programs).toHaveLength(4);
    expect(left.maps).toHaveLength(10);
    for (const { programId } of meter.attachments()) expect(left.programs).toContain(programId);
  } finally {
    meter.remove();
    meter.close();
  }
  return inode;
}

describe("clsact", () => {
  test("somebody else's qdisc and filters stay as they were", async () => {
    await tc("qdisc add dev d0 clsact");
    await tc("filter add dev d0 ingress protocol ipv6 prio 10 u32 match u32 0 0");
    await tc("filter add dev d0 egress protocol all prio 7 u32 match u32 0 0");
    const filters = async (): Promise<string> =>
      (await tc("filter show dev d0 ingress")) + (await tc("filter show dev d0 egress"));
    const wanted = await filters();
    const meter = create();
    for (const direction of ["ingress", "egress"] as const) {
      meter.attach("d0", direction, { hook: "tc" });
    }
    expect(await filters()).not.toBe(wanted);
    await pass("ingress");
    await eventually("it is counted", () => counted(meter).ingress === 1);
    meter.remove();
    meter.close();
    expect(await filters()).toBe(wanted);
    expect(await hasClsact()).toBe(true);
  });

  test.each([
    ["ingress", "egress"],
    ["egress", "ingress"],
  ] as const)("our own qdisc goes with the last of our filters: %s, then %s", async (one, two) => {
    const meter = create();
    meter.attach("d0", "ingress", { hook: "tc" });
    meter.attach("d0", "egress", { hook: "tc" });
    meter.detach("d0", one);
    expect(await hasClsact()).toBe(true);
    expect(programs("tc", two)).toHaveLength(1);
    meter.detach("d0", two);
    expect(await hasClsact()).toBe(false);
    meter.close();
  });

  test("our own qdisc stays while somebody else uses it", async () => {
    const meter = create();
    meter.attach("d0", "ingress", { hook: "tc" });
    await tc("filter add dev d0 egress protocol all prio 7 u32 match u32 0 0");
    const filter = await tc("filter show dev d0 egress");
    meter.remove();
    meter.close();
    expect(await hasClsact()).toBe(true);
    expect(await tc("filter show dev d0 egress")).toBe(filter);
    expect(programs("tc", "ingress")).toEqual([]);
  });

  test("TCX and clsact side by side", async () => {
    const meter = create();
    meter.attach("d0", "ingress", { hook: "tcx" });
    meter.attach("d0", "egress", { hook: "tc" });
    expect(meter.attachments().map(({ direction, hook }) => `${direction} ${hook}`).sort()).toEqual([
      "egress tc",
      "ingress tcx",
    ]);
    await pass("ingress");
    await pass("egress");
    await eventually("both count", () => Number(meter.counters().dexPackets) === 2);
    meter.remove();
    meter.close();
    expect(await hasClsact()).toBe(false);
  });
});

test("no such interface: nothing is left behind", () => {
  const meter = create();
  expect(() => meter.attach("nope", "ingress")).toThrow(
    expect.objectContaining({ code: "NO_SUCH_INTERFACE" }),
  );
  expect(meter.attachments()).toEqual([]);
  expect(meter.detach("nope")).toEqual([]);
  meter.close();
});

describe("the network namespace is deleted while attached", () => {
  let gone: Netns;
  let parts: KernelParts;

  /** Its meter counts one packet; then it is deleted. Returns its inode. */
  async function makeAndDelete(hook: "tcx" | "tc"): Promise<number> {
    gone = await createNetns("gone");
    try {
      await gone.ip("link add d0 type veth peer name p0", "link set d0 up", "link set p0 up");
      const meter = Meter.openOrCreate({ netns: gone.name, ...OPTIONS });
      try {
        meter.attach("d0", "ingress", { hook });
        await station(gone).send("p0", FRAME);
        await eventually("it is counted", () => meter.flows() === 1);
        parts = await kernelParts(meter.netnsInode);
        return meter.netnsInode;
      } finally {
        meter.close();
      }
    } finally {
      await gone.close();
    }
  }

  function removeListed(inode: number): void {
    const listed = Meter.list();
    const meter = listed.find((one) => one.netnsInode === inode);
    try {
      expect(meter?.netns).toBe(gone.name);
      expect(meter?.attachments()).toEqual([]);
      expect(meter?.dump()).toHaveLength(1);
      expect(() => meter?.attach("d0", "ingress")).toThrow(
        expect.objectContaining({ code: "NETNS_GONE" }),
      );
    } finally {
      meter?.remove();
      for (const one of listed) one.close();
    }
  }

  test.each(["tcx", "tc"] as const)("the meter is listed and can be removed: %s", async (hook) => {
    const inode = await makeAndDelete(hook);
    removeListed(inode);
    await partsGone(inode, parts);
    expect(() => Meter.open(gone.name)).toThrow(expect.objectContaining({ code: "NETNS_NOT_FOUND" }));
  });
});
