// The configuration file: what it says, and what is said when it is wrong.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/agent/config/checked-yaml.ts";
import { loadConfig, parseConfig } from "../../../src/agent/config/load-config.ts";
import { FLOW_GROUP } from "../../../src/agent/templates/flow-template.ts";
import { tracedNames } from "../../../src/agent/trace/trace-sources.ts";
import { TRACE_GROUPS } from "../../../src/agent/trace/trace-template.ts";
import { type Folder, temporaryFolder } from "../../lab/guard.ts";

const OUTPUT = "outputs: [{ console: {} }]\n";
const INTERFACE = "interfaces: [{ name: eth1 }]\n";

/** So many collectors, each on a line of its own. */
const collectors = (count: number): string =>
  [
    "collectors:",
    ...Array.from({ length: count }, (_, i) => `  - { address: "[::1]:${1000 + i}" }`),
  ]
    .map((line) => `${line}\n`)
    .join("");

const DEFAULT_OPTIONS = {
  meteringStatistics: 60_000,
  meteringReliability: 60_000,
  exportingReliability: 60_000,
  flowKeys: undefined,
  extendedTypeInformation: 600_000,
  interfaceNames: 600_000,
  observationDomainId: 0,
};
const DEFAULT_TEMPLATES = {
  flow: FLOW_GROUP.defaults,
  hop: TRACE_GROUPS.hop.defaults,
  dex: TRACE_GROUPS.dex.defaults,
  pathDelay: TRACE_GROUPS.pathDelay.defaults,
};

let folder: Folder;
beforeAll(async () => {
  folder = await temporaryFolder("agent-config");
  mkdirSync(join(folder.path, "spool"));
  writeFileSync(join(folder.path, "a-file"), "");
});
afterAll(() => folder.remove());

const mistakes = (text: string, file = "a.yaml"): readonly string[] => {
  try {
    parseConfig(text, file);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
};

describe("a configuration", () => {
  it("may say everything", () => {
    const config = parseConfig(
      `
observationDomainId: 7
observationDomains: { blue: 8 }
interfaces:
  - { name: eth1, netns: blue, direction: both }
  - name: eth1
meter:
  maxFlows: 1_000_000
  activeTimeout: 1.5s
  namespaces: [123, 0x7c]
trace: { source: kernel, netns: [blue], timestamps: { default: ntp, 123: ptp, 0x7c: posix } }
collectors:
  - address: "[2001:db8::1]:4739"
    transport: udp
    templateRefresh: 5m
    mtu: 1400
    maxRate: 100Mbit/s
    reconnect: 1m
  - address: collector.example:9995
    transport: tcp
    connectTimeout: 500ms
exportMode: fallback
outputs:
  - console: { format: text }
  - file: { path: FOLDER/flows.ipfix, rotate: 15m, maxSize: 1.5MiB, keep: 96 }
  - file: { path: spool/flows.ipfix }
options:
  meteringStatistics: 30s
  meteringReliability: off
  exportingReliability: 2m
  flowKeys: 10m
  extendedTypeInformation: off
  interfaceNames: 1h
  observationDomainId: 7
templates:
  flow: { id: 1024, elements: [flowStartMilliseconds, octetDeltaCount(4)] }
  pathDelay: { elements: [pathDelaySumDeltaMicroseconds] }
enterpriseNumbers: { ioam: 10383, own: 64000 }
onExit: keep
`
        .replace("1_000_000", "1000000")
        .replace("FOLDER", folder.path),
      join(folder.path, "a.yaml"),
    );
    expect(config).toEqual({
      observationDomainId: 7,
      observationDomains: { blue: 8 },
      interfaces: [
        { name: "eth1", netns: "blue", direction: "both" },
        { name: "eth1", direction: "ingress" },
      ],
      meter: { maxFlows: 1_000_000, activeTimeout: 1500, namespaces: [123, 124] },
      trace: {
        source: "kernel",
        netns: ["blue"],
        timestamps: {
          other: "ntp",
          byNamespace: new Map([
            [123, "ptp"],
            [124, "posix"],
          ]),
        },
      },
      collectors: [
        {
          address: { host: "2001:db8::1", port: 4739 },
          transport: "udp",
          templateRefresh: 300_000,
          mtu: 1400,
          maxRate: 100_000_000,
          connectTimeout: 10_000,
          reconnect: 60_000,
        },
        {
          address: { host: "collector.example", port: 9995 },
          transport: "tcp",
          templateRefresh: 600_000,
          connectTimeout: 500,
          reconnect: 60_000,
        },
      ],
      exportMode: "fallback",
      outputs: [
        { console: { format: "text" } },
        {
          file: {
            path: join(folder.path, "flows.ipfix"),
            rotate: 900_000,
            maxSize: 1_572_864,
            keep: 96,
          },
        },
        { file: { path: join(folder.path, "spool/flows.ipfix"), rotate: 3_600_000 } },
      ],
      options: {
        meteringStatistics: 30_000,
        meteringReliability: undefined,
        exportingReliability: 120_000,
        flowKeys: 600_000,
        extendedTypeInformation: undefined,
        interfaceNames: 3_600_000,
        observationDomainId: 7,
      },
      templates: {
        ...DEFAULT_TEMPLATES,
        flow: {
          id: 1024,
          elements: [{ name: "flowStartMilliseconds" }, { name: "octetDeltaCount", length: 4 }],
        },
        pathDelay: { id: 263, elements: [{ name: "pathDelaySumDeltaMicroseconds" }] },
      },
      enterpriseNumbers: { ioam: 10383, own: 64000 },
      onExit: "keep",
    });
  });

  it("has defaults", () => {
    expect(parseConfig(INTERFACE + OUTPUT, "a.yaml")).toEqual({
      observationDomainId: 1,
      observationDomains: {},
      interfaces: [{ name: "eth1", direction: "ingress" }],
      meter: { activeTimeout: 10_000 },
      trace: { source: "off", timestamps: { other: "posix", byNamespace: new Map() } },
      collectors: [],
      exportMode: "parallel",
      outputs: [{ console: { format: "json" } }],
      options: DEFAULT_OPTIONS,
      templates: DEFAULT_TEMPLATES,
      enterpriseNumbers: { ioam: 10383, own: 32473 },
      onExit: "detach",
    });
  });
});

it("needs no interface when the kernel's events are exported", () => {
  const config = parseConfig(`trace: { source: kernel }\n${OUTPUT}`, "a.yaml");
  expect(tracedNames(config)).toEqual([undefined]);
  expect(tracedNames({ ...config, trace: { ...config.trace, netns: ["a", "b", "a"] } })).toEqual([
    "a",
    "b",
  ]);
  const blue = { name: "eth1", netns: "blue", direction: "ingress" as const };
  const both = { ...config, interfaces: [blue, { ...blue, name: "eth2" }, { ...blue, netns: "" }] };
  expect(tracedNames(both)).toEqual(["blue", ""]);
  expect(tracedNames({ ...both, trace: { ...config.trace, source: "off" } })).toEqual([]);
});

describe("a mistake has file, line and column, and says what is right", () => {
  it.each([
    ["nothing at all", "", "1:1: the configuration has no interfaces: give at least one interface"],
    ["only a comment", "# soon\n", "1:1: the configuration has no interfaces"],
    ["a list", "- a\n", "1:1: the configuration: give a mapping with: observationDomainId, "],
    [
      "an unknown key",
      `${INTERFACE}${OUTPUT}metrics: {}\n`,
      "3:1: unknown key metrics: known here: observationDomainId, observationDomains, interfaces,",
    ],
    [
      "an unknown key further in",
      `${INTERFACE}meter:\n  delay: 1/16\n${OUTPUT}`,
      "3:3: unknown key delay in meter: known here: maxFlows, activeTimeout, namespaces",
    ],
    [
      "nowhere to export to",
      INTERFACE,
      "1:1: the configuration: nothing would be exported: give at least one of collectors, outputs",
    ],
    [
      "more collectors and outputs than may read the flow table",
      `${INTERFACE}${collectors(15)}outputs:\n  - { console: {} }\n  - { file: { path: a } }\n`,
      "20:5: outputs[1]: is one too many: at most 16 collectors and outputs together",
    ],
    [
      "more collectors than may, of which one takes all",
      `${INTERFACE}exportMode: fallback\n${collectors(17)}`,
      "20:5: collectors[16]: is one too many: at most 16 collectors and outputs together",
    ],
    ["no interface", `interfaces: []\n${OUTPUT}`, "1:13: interfaces: give at least one interface"],
    [
      "a source of traces that is not there yet",
      `${INTERFACE}${OUTPUT}trace: { source: ebpf }\n`,
      '3:18: trace.source is "ebpf": give kernel or off',
    ],
    [
      "an observation domain that is none",
      `interfaces: [{ name: a, netns: blue }]\n${OUTPUT}observationDomains: { blue: -1 }\n`,
      '3:29: observationDomains.blue is "-1": give a whole number from 0 to 4294967295',
    ],
    [
      "observation domains that are not by network namespace",
      `${INTERFACE}${OUTPUT}observationDomains: 2\n`,
      '3:21: observationDomains is "2": give a mapping of network namespaces and their',
    ],
    [
      "an observation domain of nothing",
      `${INTERFACE}${OUTPUT}observationDomains: { blue: 2 }\n`,
      '3:29: observationDomains.blue is "2": is of a network namespace that neither interfaces nor',
    ],
    ["a trace without a source", `${OUTPUT}trace: {}\n`, "2:8: trace has no source: give kernel"],
    [
      "no network namespace of traces",
      `${OUTPUT}trace: { source: kernel, netns: [] }\n`,
      "2:33: trace.netns: give at least one network namespace, or leave it out",
    ],
    [
      "a format of timestamps that is none",
      `${OUTPUT}trace: { source: kernel, timestamps: { 123: tai } }\n`,
      '2:45: trace.timestamps.123 is "tai": give posix or ptp or ntp',
    ],
    [
      "timestamps of no IOAM namespace",
      `${OUTPUT}trace: { source: kernel, timestamps: { 65536: ptp } }\n`,
      '2:47: trace.timestamps.65536 is "ptp": give a mapping of IOAM namespace ids and default',
    ],
    [
      "an interface without a name",
      `interfaces:\n  - netns: blue\n${OUTPUT}`,
      "2:5: interfaces[0] has no name: give the name of an interface",
    ],
    [
      "a name that is none",
      `interfaces: [{ name: "a/b" }]\n${OUTPUT}`,
      '1:22: interfaces[0].name is "a/b"',
    ],
    [
      "an interface listed twice",
      `interfaces: [{ name: a }, { name: a, direction: egress }]\n${OUTPUT}`,
      '1:35: interfaces[1].name is "a": is listed already',
    ],
    [
      "a direction that is none",
      `interfaces: [{ name: a, direction: up }]\n${OUTPUT}`,
      '1:36: interfaces[0].direction is "up": give ingress or egress or both',
    ],
    [
      "a duration without a unit",
      `${INTERFACE}${OUTPUT}meter: { activeTimeout: 10 }\n`,
      '3:25: meter.activeTimeout is "10": give a duration from 100ms to 1d, with its unit',
    ],
    [
      "a duration that is too short",
      `${INTERFACE}${OUTPUT}meter: { activeTimeout: 10ms }\n`,
      '3:25: meter.activeTimeout is "10ms"',
    ],
    [
      "a table that is too large",
      `${INTERFACE}${OUTPUT}meter: { maxFlows: 8388608 }\n`,
      '3:20: meter.maxFlows is "8388608": give a whole number from 1 to 8388607',
    ],
    [
      "a namespace that is none",
      `${INTERFACE}${OUTPUT}meter: { namespaces: [1, 65536] }\n`,
      '3:26: meter.namespaces[1] is "65536": give a whole number from 0 to 65535',
    ],
    [
      "an address without brackets",
      `${INTERFACE}collectors:\n  - address: 2001:db8::1:4739\n`,
      '3:14: collectors[0].address is "2001:db8::1:4739": give ADDRESS:PORT, such as "[2001:db8::1]:4739"',
    ],
    [
      "an address that YAML reads as a list",
      `${INTERFACE}collectors:\n  - address: [2001:db8::1]:4739\n`,
      "3:27: not valid YAML: Unexpected scalar at node end: text that begins with [",
    ],
    [
      "a rate without a unit",
      `${INTERFACE}collectors: [{ address: "[::1]:1", maxRate: 100 }]\n`,
      '2:45: collectors[0].maxRate is "100": give a rate of at least 1bit/s, with its unit, such as 100Mbit/s',
    ],
    [
      "a rate at which nothing is sent",
      `${INTERFACE}collectors: [{ address: "[::1]:1", maxRate: 0bit/s }]\n`,
      '2:45: collectors[0].maxRate is "0bit/s": give a rate of at least 1bit/s, with its unit, such as 100Mbit/s',
    ],
    [
      "an mtu below 512",
      `${INTERFACE}collectors: [{ address: "[::1]:1", mtu: 100 }]\n`,
      '2:41: collectors[0].mtu is "100": give a whole number from 512 to 65535',
    ],
    [
      "a mode that is none",
      `${INTERFACE}${OUTPUT}exportMode: both\n`,
      '3:13: exportMode is "both": give parallel or fallback',
    ],
    [
      "two enterprise numbers that are one",
      `${INTERFACE}${OUTPUT}enterpriseNumbers: { own: 10383 }\n`,
      '3:27: enterpriseNumbers.own is "10383": give another number than that of ioam',
    ],
    [
      "the enterprise number of reverse elements",
      `${INTERFACE}${OUTPUT}enterpriseNumbers: { own: 29305 }\n`,
      '3:27: enterpriseNumbers.own is "29305": give another number: 29305 is that of reverse',
    ],
    [
      "an unknown output",
      `${INTERFACE}outputs:\n  - syslog: {}\n`,
      "3:5: unknown key syslog in outputs[0]: known here: console, file",
    ],
    [
      "an output of nothing",
      `${INTERFACE}outputs:\n  - {}\n`,
      "3:5: outputs[0]: give one of console, file",
    ],
    [
      "two outputs in one",
      `${INTERFACE}outputs:\n  - console: {}\n    file: { path: x }\n`,
      "3:5: outputs[0]: give one of console, file: each output is an entry of its own",
    ],
    [
      "a file without a path",
      `${INTERFACE}outputs:\n  - file: { rotate: 1h }\n`,
      "3:11: outputs[0].file has no path: give the path of a file",
    ],
    [
      "a size without a unit",
      `${INTERFACE}outputs:\n  - file: { path: x, maxSize: 1000000 }\n`,
      '3:31: outputs[0].file.maxSize is "1000000": give a size of at least 1MiB, with its unit',
    ],
    [
      "a size that is too small",
      `${INTERFACE}outputs:\n  - file: { path: x, maxSize: 1048575B }\n`,
      '3:31: outputs[0].file.maxSize is "1048575B"',
    ],
    [
      "no file to keep",
      `${INTERFACE}outputs:\n  - file: { path: x, keep: 0 }\n`,
      '3:28: outputs[0].file.keep is "0": give a whole number from 1 to 1000000',
    ],
    [
      "a period without a unit",
      `${INTERFACE}${OUTPUT}options: { flowKeys: 60 }\n`,
      '3:22: options.flowKeys is "60": give off, or a duration from 1s to 1d, with its unit',
    ],
    [
      "a period that is too short",
      `${INTERFACE}${OUTPUT}options: { interfaceNames: 0s }\n`,
      '3:28: options.interfaceNames is "0s"',
    ],
    [
      "options that there are not",
      `${INTERFACE}${OUTPUT}options: { sampling: 60s }\n`,
      "3:12: unknown key sampling in options: known here: meteringStatistics, ",
    ],
    ["a key twice", `${INTERFACE}${INTERFACE}`, "2:1: not valid YAML: Map keys must be unique"],
    [
      "a tab",
      "meter:\n\tmaxFlows: 1\n",
      "2:1: not valid YAML: Tabs are not allowed as indentation",
    ],
    ["an unknown tag", `${INTERFACE}onExit: !x keep\n`, "2:9: not valid YAML: Unresolved tag: !x"],
  ])("%s", (_name, text, expected) => {
    const [first] = mistakes(text);
    expect(first).toContain(`a.yaml:${expected}`);
    expect(first).not.toContain("\n");
  });

  it("and so have all of them, in the order of the file", () => {
    const lines = mistakes("onExit: bye\ncolour: red\ninterfaces: [{ name: 1 }, {}]\n");
    expect(lines.map((line) => line.split(":").slice(1, 3).join(":"))).toEqual(
      ["1:1", "1:9", "2:1", "3:22", "3:27"].filter((at) => at !== "1:1"),
    );
  });

  it("and the first stands for all in one line", () => {
    const text = "onExit: bye\ncolour: red\ninterfaces: [{ name: a }]\n";
    expect(() => parseConfig(text, "a.yaml")).toThrow(
      /^a.yaml:1:9: .* \(and 1 more: --check lists all\)$/,
    );
  });
});

describe("a file of an output has a folder", () => {
  it.each([
    ["/nonexistent/f.ipfix", "there is no folder /nonexistent: make it; paths are relative to"],
    ["none/f.ipfix", "there is no folder FOLDER/none: make it; paths are relative to"],
    ["a-file/f.ipfix", "FOLDER/a-file is not a folder: paths are relative to"],
    ["spool", "FOLDER/spool is a folder: give the name of a file in it"],
  ])("%s", (path, expected) => {
    const outputs = `outputs:\n  - console: {}\n  - file: { rotate: 1h, path: ${path} }\n`;
    const found = mistakes(`${INTERFACE}${outputs}`, join(folder.path, "a.yaml"));
    expect(found.map((line) => line.replaceAll(folder.path, "FOLDER"))).toEqual([
      expect.stringContaining(`FOLDER/a.yaml:4:31: outputs[1].file.path is "${path}": ${expected}`),
    ]);
  });

  it("that may not yet have the file in it, or have it", () => {
    for (const path of ["spool/f.ipfix", "a-file"]) {
      const text = `${INTERFACE}outputs: [{ file: { path: ${path} } }]\n`;
      expect(mistakes(text, join(folder.path, "a.yaml")), path).toEqual([]);
    }
  });
});

it("a file that is not there is one line, too", () => {
  expect(() => loadConfig("/nonexistent/a.yaml")).toThrow(/there is no such file/);
  expect(() => loadConfig("/")).toThrow(/EISDIR/);
});

it("aliases without bound end in a mistake, not in memory", () => {
  const levels = Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`);
  expect(mistakes(`a0: &a0 [x]\n${levels.join("\n")}\n`)[0]).toMatch(/^a.yaml:1:1: not valid YAML/);
});
