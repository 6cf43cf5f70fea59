// The order of flows.
import { describe, expect, it } from "vitest";
import { SORT_FIELDS, sortFlows } from "../../../src/cli/flow-sort.ts";
import { flow } from "./flow.ts";

describe("flows", () => {
  it.each([
    ["packets", { packetDeltaCount: 9n }, { packetDeltaCount: 10n }],
    ["octets", { octetDeltaCount: 2n ** 63n }, { octetDeltaCount: 2n ** 63n + 1n }],
    ["lost", { ioamLostPacketCount: -1n }, { ioamLostPacketCount: 0n }],
    ["reord", { ioamReorderedPacketCount: 1n }, { ioamReorderedPacketCount: 2n }],
  ])("with the largest %s first", (field, small, large) => {
    const flows = [flow(small), flow(large)];
    expect(sortFlows([...flows], field)).toEqual([flows[1], flows[0]]);
  });

  it.each([
    ["iface", { interfaceName: "a" }, { interfaceName: "b" }],
    ["ns", { ioamNamespaceId: 9 }, { ioamNamespaceId: 10 }],
    ["flow-id", { ioamFlowId: 9 }, { ioamFlowId: 10 }],
    ["flow-id", { ioamFlowId: 9 }, { ioamFlowId: undefined }],
    ["lost", { ioamLostPacketCount: 0n }, { ioamLostPacketCount: undefined }],
    ["proto", { protocolIdentifier: 6 }, { protocolIdentifier: 17 }],
    ["age", { flowEndMilliseconds: 1 }, { flowEndMilliseconds: 2 }],
  ])("by %s, upwards, the unknown last", (field, first, second) => {
    const flows = [flow(second), flow(first)];
    expect(sortFlows([...flows], field)).toEqual([flows[1], flows[0]]);
  });

  it("stay in place when they are equal", () => {
    const flows = [flow({ ioamFlowId: 2 }), flow({ ioamFlowId: 1 })];
    for (const field of SORT_FIELDS.filter((name) => name !== "flow-id")) {
      expect(sortFlows([...flows], field)).toEqual(flows);
    }
  });
});
