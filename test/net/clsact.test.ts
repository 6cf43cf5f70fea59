// The clsact qdisc, which others may use too: made if missing, removed if it is ours and nobody's.
import { expect, test } from "vitest";
import { type DeviceLab, deviceLab } from "./device-lab.ts";

async function filters(lab: DeviceLab): Promise<string> {
  return (await lab.tc("filter show dev d0 ingress")) + (await lab.tc("filter show dev d0 egress"));
}

test("somebody else's qdisc and filters stay as they were", async () => {
  await using lab = await deviceLab();
  await lab.tc("qdisc add dev d0 clsact");
  await lab.tc("filter add dev d0 ingress protocol ipv6 prio 10 u32 match u32 0 0");
  await lab.tc("filter add dev d0 egress protocol all prio 7 u32 match u32 0 0");
  const wanted = await filters(lab);
  const meter = lab.meter();
  for (const direction of ["ingress", "egress"] as const) {
    meter.attach("d0", direction, { hook: "tc" });
  }
  expect(await filters(lab)).not.toBe(wanted);
  await lab.passCounted(meter, "ingress");
  meter.remove();
  expect(await filters(lab)).toBe(wanted);
  expect(await lab.hasClsact()).toBe(true);
});

test.each([
  ["ingress", "egress"],
  ["egress", "ingress"],
] as const)("our own goes with the last of our filters: %s, then %s", async (one, two) => {
  await using lab = await deviceLab();
  const meter = lab.meter();
  meter.attach("d0", "ingress", { hook: "tc" });
  meter.attach("d0", "egress", { hook: "tc" });
  meter.detach("d0", one);
  expect(await lab.hasClsact()).toBe(true);
  expect(lab.programs("tc", two)).toHaveLength(1);
  meter.detach("d0", two);
  expect(await lab.hasClsact()).toBe(false);
});

test("our own stays while somebody else uses it", async () => {
  await using lab = await deviceLab();
  const meter = lab.meter();
  meter.attach("d0", "ingress", { hook: "tc" });
  await lab.tc("filter add dev d0 egress protocol all prio 7 u32 match u32 0 0");
  const wanted = await lab.tc("filter show dev d0 egress");
  meter.remove();
  expect(await lab.hasClsact()).toBe(true);
  expect(await lab.tc("filter show dev d0 egress")).toBe(wanted);
  expect(lab.programs("tc", "ingress")).toEqual([]);
});
