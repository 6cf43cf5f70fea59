// A network namespace that is deleted while its meter is attached: the meter can still be removed.
import { expect, test } from "vitest";
import { Meter } from "../../src/meter/index.ts";
import { openNetns } from "../../src/native/bpf-loader/index.ts";
import { netnsPrefix } from "../lab/netns.ts";
import { run } from "../lab/process.ts";
import { deviceLab } from "./device-lab.ts";
import { type KernelParts, kernelParts, partsGone } from "./kernel-parts.ts";

interface Gone {
  name: string;
  inode: number;
  parts: KernelParts;
}

/** Its meter counts one packet; then it is deleted, and nobody holds it any more. */
async function madeAndDeleted(hook: "tcx" | "tc"): Promise<Gone> {
  const lab = await deviceLab();
  const meter = Meter.openOrCreate({ netns: lab.netns.name, maxFlows: 1024 });
  try {
    meter.attach("d0", "ingress", { hook });
    await lab.passCounted(meter, "ingress");
    const inode = meter.netnsInode;
    return { name: lab.netns.name, inode, parts: await kernelParts(inode) };
  } catch (error) {
    meter.remove();
    throw error;
  } finally {
    meter.close();
    await lab.netns.close();
  }
}

function removeListed({ name, inode }: Gone): void {
  const listed = Meter.list();
  const meter = listed.find((one) => one.netnsInode === inode);
  try {
    expect(meter?.netns).toBe(name);
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

test.each(["tcx", "tc"] as const)("listed and removed: %s", async (hook) => {
  const gone = await madeAndDeleted(hook);
  removeListed(gone);
  await partsGone(gone.inode, gone.parts);
  expect(() => Meter.open(gone.name)).toThrow(expect.objectContaining({ code: "NETNS_NOT_FOUND" }));
});

/** Makes network namespaces until one has that inode, which the kernel gives away again. */
async function heirOf(inode: number, made: string[]): Promise<string | undefined> {
  for (let i = 0; i < 64; i++) {
    const name = `${netnsPrefix()}-heir`;
    await run("ip", ["netns", "add", name]);
    made.push(name);
    const handle = openNetns(name);
    handle.close();
    if (handle.inode === inode) return name;
  }
  return undefined;
}

test("a new network namespace that gets the inode of a deleted one does not get its meter", async () => {
  const made: string[] = [];
  let gone: Gone;
  let heir: string | undefined;
  try {
    do {
      gone = await madeAndDeleted("tcx");
      heir = await heirOf(gone.inode, made);
      // Somebody else was quicker.
      if (heir === undefined) removeListed(gone);
    } while (heir === undefined);

    expect(Meter.open(heir)).toBeUndefined();
    const fresh = Meter.openOrCreate({ netns: heir, maxFlows: 512 });
    try {
      expect(fresh.netnsInode).toBe(gone.inode);
      expect(fresh.maxFlows).toBe(512);
      expect(fresh.dump()).toEqual([]);
      expect(fresh.attach("lo", "ingress").created).toBe(true);
      const same = Meter.open(heir)!;
      expect(same.attachments()).toEqual(fresh.attachments());
      same.close();
    } finally {
      fresh.remove();
      fresh.close();
    }
    await partsGone(gone.inode, gone.parts);
  } finally {
    for (const name of made) await run("ip", ["netns", "del", name]);
  }
});

test("the meter of a deleted network namespace is listed as such when another has its inode", async () => {
  const made: string[] = [];
  try {
    for (;;) {
      const gone = await madeAndDeleted("tc");
      const heir = await heirOf(gone.inode, made);
      removeListed(gone);
      if (heir !== undefined) break;
    }
  } finally {
    for (const name of made) await run("ip", ["netns", "del", name]);
  }
});
