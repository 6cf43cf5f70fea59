// From a DEX packet on an interface to a collector, to the packet: the agent rotating every second.
import { test } from "vitest";
import { expectExact } from "../lab/exactness.ts";

test.each([
  ["each flow on one CPU, then on the other", false],
  ["packets of one flow on both CPUs", true],
])("1 000 000 packets over 10 000 flows as fast as can be, %s", async (_, spray) => {
  await expectExact({ flows: 10_000, packets: 1_000_000, spray, rate: 200_000 });
});
