// What is said of filters that matched nothing: of those that cannot, why.
import { expect, it } from "vitest";
import { filterHint } from "../../../src/cli/filter-hint.ts";
import type { Attachment, Flow, FlowFilter } from "../../../src/meter/index.ts";
import { flow } from "./flow.ts";

/** eth1 is attached, eth2 and eth3 are not, gone0 is no more: of eth3 and gone0 there are flows. */
const METER: Parameters<typeof filterHint>[0] = {
  netns: "blue",
  namespaces: [123, 7],
  attachments: () => [{ interfaceName: "eth1" } as Attachment],
  hasInterface: (name) => ["eth1", "eth2", "eth3"].includes(name),
  dump: (filter): Flow[] =>
    ["eth3", "gone0"].includes(filter?.interfaceName ?? "") ? [flow()] : [],
};

it.each<[filter: FlowFilter, hint: RegExp]>([
  [
    { interfaceName: "eth2", flowId: 1 },
    /^eth2 is not metered: `ioamctl attach -n eth2 --netns blue` begins to, `ioamctl status` lists/,
  ],
  [{ namespace: 8 }, /^IOAM namespace 8 is not metered, only 123, 7: .*detach --all --netns blue`/],
  [
    { protocol: 58, sourcePort: 1 },
    /^icmp6 has no ports: .* one of tcp, udp, dccp, sctp, udplite$/,
  ],
  [{ protocol: 200, destinationPort: 0 }, /^200 has no ports/],
  [
    { source: "10.0.0.0/8", destination: "2001:db8::1" },
    /both IPv4 and IPv6: give --src and --dst/,
  ],
])("%j cannot match", (filter, hint) => {
  expect(filterHint(METER, filter)).toMatch(hint);
});

it.each<FlowFilter>([
  {},
  { interfaceName: "eth1", flowId: 1 },
  { interfaceName: "eth3", flowId: 1 },
  { interfaceName: "gone0", flowId: 1 },
  { namespace: 7 },
  { protocol: 58 },
  { sourcePort: 1 },
  { protocol: 132, sourcePort: 1 },
  { source: "10.0.0.0/8", destination: "192.0.2.1/32" },
  { source: "10.0.0.0/8" },
])("%j only did not", (filter) => {
  expect(filterHint(METER, filter)).toBeUndefined();
});

it("a meter of any IOAM namespace may meet every one", () => {
  expect(filterHint({ ...METER, namespaces: [] }, { namespace: 8 })).toBeUndefined();
});

it("an interface that there neither is nor was is an error", () => {
  const refusal = expect.objectContaining({ code: "NO_SUCH_INTERFACE" });
  expect(() => filterHint(METER, { interfaceName: "none0" })).toThrow(refusal);
});
