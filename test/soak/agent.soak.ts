// Minutes of traffic through the agent, exact to the packet.
import { test } from "vitest";
import { expectExact } from "../lab/exactness.ts";

test.each([
  ["each flow on one CPU, then on the other", false],
  ["packets of one flow on both CPUs", true],
])("40 000 000 packets over 20 000 flows, %s", async (_, spray) => {
  await expectExact({ flows: 20_000, packets: 40_000_000, spray, rate: 300_000 });
});
