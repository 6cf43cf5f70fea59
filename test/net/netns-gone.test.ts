// A network namespace that is deleted while its meter is attached: the meter can still be removed.
import { expect, test } from "vitest";
import { Meter } from "../../src/meter/index.ts";
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
