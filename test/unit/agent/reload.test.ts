// Which changes of the configuration a running agent takes over.
import { describe, expect, it } from "vitest";
import type { AgentConfig } from "../../../src/agent/config/agent-config.ts";
import { configOf } from "../../../src/agent/config/schema.ts";
import { keepDomains, refuseFixedChanges } from "../../../src/agent/reload.ts";

const BASE = { interfaces: [{ name: "eth1" }], outputs: [{ console: {} }] };
const config = (change: object = {}): AgentConfig => configOf({ ...BASE, ...change });

describe("a reload", () => {
  it.each([
    ["nothing", {}],
    ["interfaces", { interfaces: [{ name: "eth2" }] }],
    ["collectors", { collectors: [{ address: "[::1]:4739" }] }],
    ["exportMode", { exportMode: "fallback" }],
    ["outputs", { outputs: [{ console: { format: "text" } }] }],
    ["activeTimeout", { meter: { activeTimeout: "1s" } }],
    ["onExit", { onExit: "keep" }],
  ])("may change %s", (_name, change) => {
    expect(() => refuseFixedChanges(config(), config(change))).not.toThrow();
  });

  it("may leave out a network namespace and its observation domain", () => {
    const blue = { interfaces: [{ name: "eth1", netns: "blue" }], observationDomains: { blue: 2 } };
    expect(() => refuseFixedChanges(config(blue), config())).not.toThrow();
    // And take both up again, but not with another.
    const now = keepDomains(config(blue), config());
    expect(() => refuseFixedChanges(now, config(blue))).not.toThrow();
    const other = config({ ...blue, observationDomains: { blue: 3 } });
    expect(() => refuseFixedChanges(now, other)).toThrow(/^observationDomains cannot change/);
  });

  it.each([
    ["observationDomainId", { observationDomainId: 2 }],
    [
      "observationDomains",
      { interfaces: [{ name: "eth1", netns: "blue" }], observationDomains: { blue: 2 } },
    ],
    ["enterpriseNumbers", { enterpriseNumbers: { own: 64000 } }],
    ["templates", { templates: { flow: { id: 1024 } } }],
    ["options", { options: { interfaceNames: "off" } }],
    ["meter.maxFlows", { meter: { maxFlows: 10 } }],
    ["meter.namespaces", { meter: { namespaces: [1] } }],
  ])("may not change %s", (name, change) => {
    expect(() => refuseFixedChanges(config(), config(change))).toThrow(
      new RegExp(`^${name.replace(".", "\\.")} cannot change`),
    );
  });
});
