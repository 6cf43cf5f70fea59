// Attaching and detaching on real interfaces: what is ours goes without a trace, what is not stays.
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Meter } from "../../src/meter/index.ts";
import { linkById, queryTcx } from "../../src/native/bpf-loader/index.ts";
import { eventually } from "../lab/eventually.ts";
import { counted, type DeviceLab, deviceLab } from "./device-lab.ts";
import { type KernelParts, kernelParts, partsGone, pinDirectory } from "./kernel-parts.ts";
import { witness } from "./witness.ts";

const DIRECTIONS = ["ingress", "egress"] as const;

describe.each(["tcx", "tc"] as const)("%s", (hook) => {
  test("attached twice is attached once", async () => {
    await using lab = await deviceLab();
    const meter = lab.meter();
    const { attachment, created } = meter.attach("d0", "ingress", { hook });
    expect(created).toBe(true);
    expect(attachment).toEqual({
      netns: lab.netns.name,
      interfaceName: "d0",
      ifindex: lab.inside((ifindex) => ifindex),
      direction: "ingress",
      hook,
      programId: lab.programs(hook, "ingress")[0],
    });
    for (const again of [meter, lab.meter()]) {
      expect(again.attach("d0", "ingress", { hook })).toEqual({ attachment, created: false });
      expect(again.attach("d0", "ingress")).toEqual({ attachment, created: false });
      expect(again.attachments()).toEqual([attachment]);
    }
    expect(lab.programs(hook, "ingress")).toEqual([attachment.programId]);
    await lab.passCounted(meter, "ingress");
  });

  test("goes on when the one that attached it has let go", async () => {
    await using lab = await deviceLab();
    const meter = lab.meter();
    meter.attach("d0", "ingress", { hook });
    meter.close();
    const later = lab.meter();
    await lab.passCounted(later, "ingress");
    expect(later.attachments()).toHaveLength(1);
  });

  test("both directions of one interface", async () => {
    await using lab = await deviceLab();
    const meter = lab.meter();
    for (const direction of DIRECTIONS) meter.attach("d0", direction, { hook });
    expect(
      meter
        .attachments()
        .map((one) => one.direction)
        .sort(),
    ).toEqual(["egress", "ingress"]);
    await lab.passCounted(meter, "ingress");
    await lab.passCounted(meter, "egress");
    expect(counted(meter)).toEqual({ ingress: 1, egress: 1 });
    expect(meter.detach("d0", "ingress").map((one) => one.direction)).toEqual(["ingress"]);
    expect(meter.detach("d0", "ingress")).toEqual([]);
    await lab.pass("ingress");
    await lab.passCounted(meter, "egress");
    expect(counted(meter)).toEqual({ ingress: 1, egress: 2 });
    expect(meter.detach("d0").map((one) => one.direction)).toEqual(["egress"]);
    expect(meter.attachments()).toEqual([]);
    for (const direction of DIRECTIONS) expect(lab.programs(hook, direction)).toEqual([]);
    expect(await lab.hasClsact()).toBe(false);
  });

  test("remove() leaves no program, map, pin or qdisc", async () => {
    await using lab = await deviceLab();
    const { inode, parts } = await madeAndRemoved(lab, hook);
    for (const direction of DIRECTIONS) expect(lab.programs(hook, direction)).toEqual([]);
    expect(await lab.hasClsact()).toBe(false);
    expect(Meter.open(lab.netns.name)).toBeUndefined();
    await partsGone(inode, parts);
  });

  test("the interface is deleted while attached", async () => {
    await using lab = await deviceLab();
    const meter = lab.meter();
    for (const direction of DIRECTIONS) meter.attach("d0", direction, { hook });
    await lab.passCounted(meter, "ingress");
    await lab.netns.ip("link del d0");
    expect(meter.attachments()).toEqual([]);
    expect(() => meter.attach("d0", "ingress")).toThrow(
      expect.objectContaining({ code: "NO_SUCH_INTERFACE" }),
    );
    expect(meter.dump()).toHaveLength(1);

    await lab.connect();
    expect(meter.attach("d0", "ingress", { hook }).created).toBe(true);
    await lab.pass("ingress");
    await eventually("it is counted", () => Number(meter.counters().dexPackets) === 2);
    meter.remove();
    expect(lab.programs(hook, "ingress")).toEqual([]);
    expect(await lab.hasClsact()).toBe(false);
    expect(existsSync(pinDirectory(meter.netnsInode))).toBe(false);
  });

  test("somebody else takes it off: it is not attached, and can be again", async () => {
    await using lab = await deviceLab();
    const meter = lab.meter();
    meter.attach("d0", "ingress", { hook });
    if (hook === "tc") await lab.tc("qdisc del dev d0 clsact");
    else lab.inside((ifindex) => linkById(queryTcx(ifindex, "ingress")[0]!.linkId).detach());
    expect(meter.attachments()).toEqual([]);
    const { attachment, created } = meter.attach("d0", "ingress", { hook });
    expect(created).toBe(true);
    expect(meter.attachments()).toEqual([attachment]);
    expect(lab.programs(hook, "ingress")).toEqual([attachment.programId]);
    await lab.passCounted(meter, "ingress");
    meter.remove();
    expect(lab.programs(hook, "ingress")).toEqual([]);
    expect(await lab.hasClsact()).toBe(false);
  });

  test("somebody else's programs go on, before and after ours and without it", async () => {
    await using lab = await deviceLab();
    using early = witness(lab.netns, "d0", { hook });
    const meter = lab.meter();
    meter.attach("d0", "ingress", { hook });
    using late = witness(lab.netns, "d0", { hook });
    const theirs = [early.program.id, late.program.id];
    const seen = (): number[] => [early.count("packets"), late.count("packets")];
    const all = [theirs[0], meter.attachments()[0]!.programId, theirs[1]];
    expect(lab.programs(hook, "ingress").sort()).toEqual(all.sort());
    await lab.pass("ingress");
    await eventually("both have seen it", () => seen().join() === "1,1");
    expect(counted(meter)).toEqual({ ingress: 1 });
    meter.remove();
    expect(lab.programs(hook, "ingress").sort()).toEqual(theirs.sort());
    await lab.pass("ingress");
    await eventually("both see it", () => seen().join() === "2,2");
    expect(await lab.hasClsact()).toBe(hook === "tc");
  });
});

/** In a function of its own, so that nothing holds the meter's mapping when it has returned. */
async function madeAndRemoved(
  lab: DeviceLab,
  hook: "tcx" | "tc",
): Promise<{ inode: number; parts: KernelParts }> {
  const meter = Meter.openOrCreate({ netns: lab.netns.name, maxFlows: 1024 });
  try {
    for (const direction of DIRECTIONS) meter.attach("d0", direction, { hook });
    await lab.passCounted(meter, "ingress");
    const parts = await kernelParts(meter.netnsInode);
    expect(parts.programs).toHaveLength(4);
    expect(parts.maps.length).toBeGreaterThan(5);
    for (const { programId } of meter.attachments()) expect(parts.programs).toContain(programId);
    return { inode: meter.netnsInode, parts };
  } finally {
    meter.remove();
    meter.close();
  }
}

test("TCX and clsact side by side", async () => {
  await using lab = await deviceLab();
  const meter = lab.meter();
  meter.attach("d0", "ingress", { hook: "tcx" });
  meter.attach("d0", "egress", { hook: "tc" });
  const hooks = meter.attachments().map(({ direction, hook }) => `${direction} ${hook}`);
  expect(hooks.sort()).toEqual(["egress tc", "ingress tcx"]);
  for (const direction of DIRECTIONS) await lab.passCounted(meter, direction);
  meter.remove();
  expect(await lab.hasClsact()).toBe(false);
});

test("no such interface: nothing is left behind", async () => {
  await using lab = await deviceLab();
  const meter = lab.meter();
  expect(() => meter.attach("nope", "ingress")).toThrow(
    expect.objectContaining({ code: "NO_SUCH_INTERFACE" }),
  );
  expect(meter.attachments()).toEqual([]);
  expect(meter.detach("nope")).toEqual([]);
});
