// Every wire case through every program: verdict, packet unchanged, counters, record.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reportedFlow } from "../lab/reported-flow.ts";
import type { WireCase } from "../lab/wire-case.ts";
import { wireCases } from "../lab/wire-cases.ts";
import { UnpinnedMeter } from "./unpinned-meter.ts";

let meter: UnpinnedMeter;
beforeAll(() => {
  meter = new UnpinnedMeter();
});
afterAll(() => meter.close());

/** The counters that changed, by how much. */
function difference(before: Record<string, bigint>): Record<string, number> {
  const changed: Record<string, number> = {};
  for (const [name, value] of Object.entries(meter.counters())) {
    const by = Number(value - before[name]!);
    if (by !== 0) changed[name] = by;
  }
  return changed;
}

/**
 * A test run takes the packet's type from octets 12 and 13, whatever the program: without a link
 * layer those are of the IPv6 source address, which has to hold the type of IPv6 there.
 */
function forTestRun(one: WireCase): WireCase {
  if (one.packet.link !== null) return one;
  const octets = one.octets.slice();
  octets.set([0x86, 0xdd], 12);
  if (one.expect.kind !== "flow") return { ...one, octets };
  const typed = (source: string): string => source.replace(/^(fd00:[0-9a-f]+)::/, "$1:86dd::");
  const { flow } = one.expect;
  const tunnelled = flow.tunnelSource !== undefined;
  return {
    ...one,
    octets,
    expect: {
      ...one.expect,
      flow: tunnelled
        ? { ...flow, tunnelSource: typed(flow.tunnelSource!) }
        : { ...flow, source: typed(flow.source) },
    },
  };
}

function check(one: WireCase, program: string): void {
  meter.clear();
  const before = meter.counters();
  const result = meter.run(one.octets, program);
  expect(result.retval).toBe(-1);
  expect(Buffer.from(result.dataOut).equals(Buffer.from(one.octets))).toBe(true);
  const changed = difference(before);
  const flows = meter.flows();
  const { expect: wanted } = one;
  expect(changed.packets).toBe(1);
  if (wanted.kind !== "flow") expect(flows).toEqual([]);
  switch (wanted.kind) {
    case "flow": {
      const { flowStartMilliseconds, flowEndMilliseconds, ...found } = flows[0]!;
      expect(flowEndMilliseconds).toBe(flowStartMilliseconds);
      const direction = program.includes("egress") ? "egress" : "ingress";
      const point = { interfaceName: "if1", ifindex: 1, direction } as const;
      expect(found).toEqual(reportedFlow(wanted.flow, point));
      expect(flows.length).toBe(1);
      expect(changed).toMatchObject({
        ioamPackets: 1,
        dexPackets: 1,
        dexOctets: wanted.flow.octets,
      });
      expect(changed.dexFurtherOptions ?? 0).toBe(wanted.further);
      break;
    }
    case "malformed":
      expect(changed).toMatchObject({ dexPackets: 1, dexMalformed: 1 });
      break;
    case "malformed options":
      expect(changed.optionsMalformed).toBe(1);
      expect(changed.dexPackets).toBeUndefined();
      break;
    case "no dex":
      expect(changed.ioamTrace ?? 0).toBe(wanted.trace);
      expect(changed.ioamOther ?? 0).toBe(wanted.other);
      expect(changed.dexPackets).toBeUndefined();
      break;
    case "ignored":
      expect(changed).toEqual({ packets: 1 });
  }
}

// A test run refuses fewer octets than an Ethernet and an IPv6 header, also without a link layer;
// test/net/link-layer.test.ts sends such packets through a tun device.
const RUNNABLE = wireCases().filter((one) => one.octets.length >= 54);

describe.each(["ingress", "egress"])("at %s", (direction) => {
  test.each(RUNNABLE.map((one) => [one.name, one] as const))("%s", (_, one) => {
    check(forTestRun(one), one.packet.link === null ? `ioam_${direction}_l3` : `ioam_${direction}`);
  });
});
