// The agent's options records: which are made, what they say, where and how often.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { configOf } from "../../../src/agent/config/schema.ts";
import { agentOptions, type OptionsSources } from "../../../src/agent/options/agent-options.ts";
import { flowKeyIndicator } from "../../../src/agent/options/flow-keys.ts";
import {
  IgnoredPackets,
  ignoredByKernelEvents,
  ignoredByMeter,
} from "../../../src/agent/options/ignored-packets.ts";
import type { NamedInterface } from "../../../src/agent/options/interface-names.ts";
import { LossCounts } from "../../../src/agent/options/loss-counts.ts";
import {
  OPTIONS_TEMPLATE_IDS,
  OPTIONS_TEMPLATE_RANGE,
} from "../../../src/agent/options/template-ids.ts";
import { flowTemplates } from "../../../src/agent/templates/flow-template.ts";
import { traceTemplates } from "../../../src/agent/trace/trace-template.ts";
import {
  type DataRecord,
  ElementRegistry,
  encodeRecord,
  ioamElements,
  type OptionsRecords,
} from "../../../src/ipfix/index.ts";

const registry = new ElementRegistry(ioamElements());
const BEGAN = 1_795_000_000_123;
const BASE = {
  observationDomainId: 9,
  interfaces: [{ name: "eth1" }],
  outputs: [{ console: {} }],
};

const notSent = new LossCounts();
notSent.add({ records: 3, packets: 40, octets: 5000 }, BEGAN + 1000);
notSent.add({ records: 1, packets: 2, octets: 300 }, BEGAN + 2000);
const ignored = new LossCounts();
ignored.add({ records: 0, packets: 7, octets: 700 }, BEGAN + 10);

const ignoredElsewhere = new LossCounts();
ignoredElsewhere.add({ records: 0, packets: 2, octets: 200 }, BEGAN + 20);

/** Observation domain 10 has exported less, ignored less, and has interfaces of its own. */
const sources = (interfaces: NamedInterface[] = []): OptionsSources => ({
  registry,
  flowTemplates: flowTemplates(registry),
  began: BEGAN,
  exportingProcessId: 4321,
  exported: (domain) =>
    domain === 10
      ? { messages: 1, records: 2, octets: 3000 }
      : { messages: 11, records: 22, octets: 33_000 },
  notSent: () => notSent,
  ignored: (domain) => (domain === 10 ? ignoredElsewhere : ignored),
  interfaces: (domain) =>
    domain === 10 ? interfaces.map((one) => ({ ...one, name: `${one.name}-10` })) : interfaces,
});

/** The options of a configuration by the id of their template. */
function made(config: object = {}, interfaces?: NamedInterface[]): Map<number, OptionsRecords> {
  const all = agentOptions(configOf({ ...BASE, ...config }), sources(interfaces));
  return new Map(all.map((one) => [one.template.id, one]));
}

const ALL = { flowKeys: "10m" };
const ids = OPTIONS_TEMPLATE_IDS;

describe("options", () => {
  it("are sent as configured, in their observation domain", () => {
    const options = { ...ALL, meteringReliability: "off", interfaceNames: "5s" };
    const all = [...made({ options }).values()];
    expect(
      all.map(({ template, observationDomainId, period }) => [
        template.id,
        observationDomainId,
        period,
      ]),
    ).toEqual([
      [ids.extendedTypeInformation, 0, 600],
      [ids.meteringStatistics, 0, 60],
      [ids.exportingReliability, 0, 60],
      [ids.flowKeys, 9, 600],
      [ids.interfaceNames, 0, 5],
      [ids.interfaceDescriptions, 0, 5],
    ]);
    const elsewhere = made({ options: { ...options, observationDomainId: 7 } });
    expect([...elsewhere.values()].map((one) => one.observationDomainId)).toEqual([
      7, 7, 7, 9, 7, 7,
    ]);
  });

  it("are sent by default, but for flow keys", () => {
    expect([...made().keys()].sort()).toEqual([500, 501, 502, 504, 505, 506]);
    const off = {
      meteringStatistics: "off",
      meteringReliability: "off",
      exportingReliability: "off",
      extendedTypeInformation: "off",
      interfaceNames: "off",
    };
    expect(made({ options: off }).size).toBe(0);
  });

  it("name no interfaces where none is metered", () => {
    const config = { interfaces: [], trace: { source: "kernel" } };
    expect([...made(config).keys()]).not.toContain(ids.interfaceNames);
  });

  it("have ids that no other template has, in the range that is kept for them", () => {
    const own = [...made({ options: ALL }).keys()];
    const { first, last } = OPTIONS_TEMPLATE_RANGE;
    expect(own.sort()).toEqual(Object.values(ids).sort());
    const data = [...flowTemplates(registry), ...traceTemplates(registry)].map(({ id }) => id);
    expect(new Set([...own, ...data]).size).toBe(own.length + data.length);
    for (const id of own) expect(id >= first && id <= last).toBe(true);
  });

  it("can all be encoded", () => {
    const interfaces = [{ index: 1, name: "lo", description: "a" }];
    for (const { template, records } of made({ options: ALL }, interfaces).values()) {
      const all = [...records()];
      expect(all.length).toBeGreaterThan(0);
      for (const record of all) {
        expect(encodeRecord(template, record).length).toBeGreaterThanOrEqual(template.recordLength);
      }
    }
  });
});

const names = ({ template }: OptionsRecords): string[] =>
  template.fields.map(({ element }) => element.name);

describe("of several observation domains", () => {
  const domains = {
    interfaces: [{ name: "eth0" }, { name: "eth0", netns: "blue" }, { name: "a", netns: "green" }],
    observationDomains: { blue: 10, green: 9 },
  };
  const all = (): OptionsRecords[] =>
    agentOptions(
      configOf({ ...BASE, ...domains, options: ALL }),
      sources([{ index: 2, name: "eth0", description: "uplink" }]),
    );

  it("statistics have a record for each", () => {
    const records = (id: number): DataRecord[] => {
      const [options, ...more] = all().filter(({ template }) => template.id === id);
      expect(more).toEqual([]);
      return [...options!.records()];
    };
    expect(records(ids.meteringStatistics)).toMatchObject([
      { observationDomainId: 9, exportedFlowRecordTotalCount: 22 },
      { observationDomainId: 10, exportedFlowRecordTotalCount: 2 },
    ]);
    expect(records(ids.meteringReliability)).toMatchObject([
      { observationDomainId: 9, ignoredPacketTotalCount: 7, ignoredOctetTotalCount: 700 },
      { observationDomainId: 10, ignoredPacketTotalCount: 2, ignoredOctetTotalCount: 200 },
    ]);
  });

  it("names of interfaces say which they are of", () => {
    const [options] = all().filter(({ template }) => template.id === ids.interfaceNames);
    expect(options!.template.scopeFieldCount).toBe(2);
    expect([...options!.records()]).toEqual([
      { observationDomainId: 9, ingressInterface: 2, interfaceName: "eth0" },
      { observationDomainId: 10, ingressInterface: 2, interfaceName: "eth0-10" },
    ]);
    const [descriptions] = all().filter(
      ({ template }) => template.id === ids.interfaceDescriptions,
    );
    expect([...descriptions!.records()]).toEqual([
      {
        observationDomainId: 9,
        ingressInterface: 2,
        interfaceName: "eth0",
        interfaceDescription: "uplink",
      },
      {
        observationDomainId: 10,
        ingressInterface: 2,
        interfaceName: "eth0-10",
        interfaceDescription: "uplink",
      },
    ]);
  });

  it("flow keys are in those of the templates", () => {
    const keys = all().filter(({ template }) => template.id === ids.flowKeys);
    expect(keys.map(({ observationDomainId }) => observationDomainId)).toEqual([9, 10]);
    expect([...keys[0]!.records()]).toEqual([...keys[1]!.records()]);
  });
});

describe("statistics", () => {
  it("tell what was exported", () => {
    const options = made().get(ids.meteringStatistics)!;
    expect(options.template.scopeFieldCount).toBe(1);
    expect([...options.records()]).toEqual([
      {
        observationDomainId: 9,
        systemInitTimeMilliseconds: BEGAN,
        exportedMessageTotalCount: 11,
        exportedFlowRecordTotalCount: 22,
        exportedOctetTotalCount: 33_000,
      },
    ]);
  });

  it("tell what was not metered, with its octets where they are known", () => {
    const options = made().get(ids.meteringReliability)!;
    expect(names(options)).toEqual([
      "observationDomainId",
      "systemInitTimeMilliseconds",
      "ignoredPacketTotalCount",
      "ignoredOctetTotalCount",
      "observationTimeMilliseconds",
      "observationTimeMilliseconds",
    ]);
    const record = {
      observationDomainId: 9,
      systemInitTimeMilliseconds: BEGAN,
      ignoredPacketTotalCount: 7,
      observationTimeMilliseconds: [BEGAN + 10, BEGAN + 10],
    };
    expect([...options.records()]).toEqual([{ ...record, ignoredOctetTotalCount: 700 }]);

    const traced = made({ trace: { source: "kernel" } }).get(ids.meteringReliability)!;
    expect(names(traced)).not.toContain("ignoredOctetTotalCount");
    expect([...traced.records()]).toEqual([record]);
  });

  it("tell what was not sent", () => {
    const options = made().get(ids.exportingReliability)!;
    expect(options.template.scopeFieldCount).toBe(1);
    expect([...options.records()]).toEqual([
      {
        exportingProcessId: 4321,
        systemInitTimeMilliseconds: BEGAN,
        notSentFlowTotalCount: 4,
        notSentPacketTotalCount: 42,
        notSentOctetTotalCount: 5300,
        observationTimeMilliseconds: [BEGAN + 1000, BEGAN + 2000],
      },
    ]);
  });
});

describe("ignored packets", () => {
  it("are those of DEX that found no record or made no sense", () => {
    const counters = {
      packets: 1000n,
      dexPackets: 500n,
      dexMalformed: 3n,
      dexMalformedOctets: 300n,
      namespaceFiltered: 20n,
      tableFull: 4n,
      tableFullOctets: 5000n,
      optionsMalformed: 9n,
    };
    expect(ignoredByMeter("a", "blue", counters)).toEqual({
      key: "a",
      netns: "blue",
      packets: 7,
      octets: 5300,
    });
    const events = { netlinkDrops: 5, netlinkMalformed: 2 };
    expect(ignoredByKernelEvents("b", null, events)).toEqual({
      key: "b",
      netns: null,
      packets: 7,
      octets: 0,
    });
  });

  it("count from the first look at a source on, with the time of each look", () => {
    const packets = new IgnoredPackets(() => 9);
    const look = (now: number, ...counts: [string, number, number][]): void =>
      packets.look(
        counts.map(([key, count, octets]) => ({ key, netns: null, packets: count, octets })),
        now,
      );
    look(1000, ["a", 50, 5000], ["b", 0, 0]);
    expect(packets.countsIn(9)).toMatchObject({ packets: 0, octets: 0, first: 0, last: 0 });
    look(2000, ["a", 50, 5000], ["b", 2, 200]);
    look(3000, ["a", 51, 5100]);
    look(4000, ["a", 51, 5100], ["b", 2, 200]);
    expect(packets.countsIn(9)).toMatchObject({ packets: 3, octets: 300, first: 2000, last: 3000 });
    // A meter that was removed and made anew begins at 0.
    look(5000, ["a", 4, 400]);
    expect(packets.countsIn(9)).toMatchObject({ packets: 7, octets: 700, first: 2000, last: 5000 });
  });

  it("count in the observation domain of their network namespace", () => {
    const packets = new IgnoredPackets((netns) => (netns === "blue" ? 2 : 1));
    packets.look([
      { key: "a", netns: null, packets: 5, octets: 50, isNew: true },
      { key: "b", netns: "blue", packets: 7, octets: 70, isNew: true },
    ]);
    expect(packets.countsIn(1)).toMatchObject({ packets: 5, octets: 50 });
    expect(packets.countsIn(2)).toMatchObject({ packets: 7, octets: 70 });
    expect(packets.countsIn(3)).toMatchObject({ packets: 0, octets: 0 });
  });
});

describe("flow keys", () => {
  /** Names of the fields that the indicator marks. */
  const marked = (kind: number): string[] => {
    const template = flowTemplates(registry)[kind]!;
    const bits = flowKeyIndicator(template);
    return template.fields
      .filter((_, n) => (bits >> BigInt(n)) & 1n)
      .map(({ element }) => element.name);
  };
  const common = [
    "sourceTransportPort",
    "destinationTransportPort",
    "protocolIdentifier",
    "ingressInterface",
    "egressInterface",
    "flowDirection",
    "vlanId",
    "dot1qCustomerVlanId",
    "ioamNamespaceId",
    "ioamFlowId",
    "ioamTraceType",
    "ioamExtensionFlags",
  ];

  it("are the fields of struct flow_key", () => {
    expect(marked(0)).toEqual(["sourceIPv6Address", "destinationIPv6Address", ...common]);
    expect(marked(1)).toEqual(["sourceIPv6Address", "destinationIPv6Address", ...common]);
    expect(marked(2)).toEqual(["sourceIPv4Address", "destinationIPv4Address", ...common]);
  });

  it("are told of each template of flows, by its id and the order of its fields", () => {
    const elements = ["packetDeltaCount", "protocolIdentifier", "octetDeltaCount", "flowDirection"];
    const config = { id: 1024, elements: elements.map((name) => ({ name })) };
    const [options] = agentOptions(
      configOf({ ...BASE, options: { ...ALL, extendedTypeInformation: "off" } }),
      { ...sources(), flowTemplates: flowTemplates(registry, config) },
    ).filter(({ template }) => template.id === ids.flowKeys);
    expect([...options!.records()]).toEqual(
      [1024, 1025, 1026].map((templateId) => ({ templateId, flowKeyIndicator: 0b1010n })),
    );
  });
});

it("docs/ipfix.md lists the options as they are", () => {
  const text = readFileSync(new URL("../../../docs/ipfix.md", import.meta.url), "utf8");
  const section = text.split("\n## Options\n")[1]!.split("\n## ")[0]!;
  const rows = section
    .split("\n")
    .filter((line) => /^\| `\w+` \| \d+ \|/.test(line))
    .map((line) => line.split("|").slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim().replaceAll("`", "")));
  const byDefault = configOf(BASE).options;
  const all = [...made({ options: ALL }).values()].map((one) => {
    const { id, fields, scopeFieldCount } = one.template;
    const elements = fields.map(({ element }) => element.name);
    const key = Object.entries(ids).find(([, number]) => number === id)![0];
    const option = key === "interfaceDescriptions" ? "interfaceNames" : key;
    const period = byDefault[option as keyof typeof byDefault];
    return [
      option,
      String(id),
      elements.slice(0, scopeFieldCount).join(", "),
      elements.slice(scopeFieldCount).join(", "),
      period === undefined ? "off" : `${period / 1000}s`,
    ];
  });
  expect(rows).toEqual(all);
});

describe("interface names", () => {
  it("are told by their numbers, unless these are ambiguous", () => {
    const all = made({}, [
      { index: 1, name: "lo" },
      { index: 2, name: "eth0", description: "to the core" },
      { index: 3, name: "eth1", description: "" },
      // Of another network namespace.
      { index: 1, name: "lo" },
      { index: 2, name: "veth7" },
      { index: 2, name: "eth0" },
      { index: 9, name: "fifteen-octets-", description: "ü".repeat(40) },
    ]);
    expect([...all.get(ids.interfaceNames)!.records()]).toEqual([
      { ingressInterface: 1, interfaceName: "lo" },
      { ingressInterface: 3, interfaceName: "eth1" },
      { ingressInterface: 9, interfaceName: "fifteen-octets-" },
    ]);
    expect([...all.get(ids.interfaceDescriptions)!.records()]).toEqual([
      {
        interfaceName: "fifteen-octets-",
        ingressInterface: 9,
        // 64 octets.
        interfaceDescription: "ü".repeat(32),
      },
    ]);
  });
});
