// Files of records: what they say, and what is said when they are wrong.
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/agent/config/checked-yaml.ts";
import { type DataRecord, DEFAULT_ENTERPRISE_NUMBERS } from "../../../src/ipfix/index.ts";
import { EXAMPLE } from "../../../src/send/example.ts";
import { parseRecords, type RecordsFile } from "../../../src/send/records-file.ts";

const parse = (text: string): RecordsFile =>
  parseRecords(text, "r.yaml", DEFAULT_ENTERPRISE_NUMBERS);

const mistakes = (text: string): readonly string[] => {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
};

const NOW = 1_784_721_600_123_456_789n;

/** The record of a template of these elements with these values. */
function recordOf(elements: string, values: string, more = ""): DataRecord {
  const text = `${more}templates: { t: { elements: [${elements}] } }
records: [{ template: t, values: { ${values} } }]`;
  return parse(text).entries[0]!.record(NOW);
}

describe("a file of records", () => {
  it("has templates with ids of its own or the next free ones", () => {
    const { templates, freeTemplateId, observationDomainId } = parse(`
observationDomainId: 9
templates:
  a: { elements: [octetDeltaCount(4)] }
  b: { id: 256, scope: [ingressInterface], elements: [interfaceName(variable)] }
  c: { elements: [interfaceName(16)] }
records: [{ template: a, values: { octetDeltaCount: 1 } }]
`);
    expect(observationDomainId).toBe(9);
    expect(
      templates.map(({ id, scopeFieldCount, fields }) => [
        id,
        scopeFieldCount,
        ...fields.map(({ element, length }) => `${element.name} ${length}`),
      ]),
    ).toEqual([
      [257, 0, "octetDeltaCount 4"],
      [256, 1, "ingressInterface 4", "interfaceName 65535"],
      [258, 0, "interfaceName 16"],
    ]);
    expect(freeTemplateId).toBe(259);
  });

  it("says how often and how fast", () => {
    const { entries } = parse(`
templates: { t: { elements: [octetDeltaCount] } }
records:
  - { template: t, values: { octetDeltaCount: 1 } }
  - { template: t, values: { octetDeltaCount: 2 }, repeat: 10, rate: 30/min }
`);
    expect(entries.map(({ repeat, rate }) => [repeat, rate])).toEqual([
      [1, undefined],
      [10, 0.5],
    ]);
  });

  it("takes the enterprise numbers of the IOAM elements from the configuration", () => {
    const text =
      "templates: { t: { elements: [ioamNodeId] } }\nrecords: [{ template: t, values: { ioamNodeId: 1 } }]";
    const { templates } = parseRecords(text, "r.yaml", { ioam: 77, own: 78 });
    expect(templates[0]!.fields[0]!.element.enterprise).toBe(77);
  });

  it.each<[string, string, unknown]>([
    ["octetDeltaCount", "18446744073709551615", 2n ** 64n - 1n],
    ["octetDeltaCount", '"0x10"', 16n],
    ["octetDeltaCount", "0xff", 255n],
    ["mibObjectValueInteger", "-5", -5n],
    ["samplingProbability", ".inf", Number.POSITIVE_INFINITY],
    ["samplingProbability", "0.25", 0.25],
    ["dataRecordsReliability", "true", true],
    ["interfaceName", "eth1", "eth1"],
    ["interfaceName", "5", "5"],
    ["interfaceName", '""', ""],
    ["ipHeaderPacketSection", "0102", Buffer.of(1, 2)],
    ["ipHeaderPacketSection", "0x00ff", Buffer.of(0, 255)],
    ["ipHeaderPacketSection", '"60 00:ff"', Buffer.of(0x60, 0, 0xff)],
    ["ipHeaderPacketSection", '""', Buffer.of()],
    ["sourceMacAddress", "02:00:5e:10:00:01", "02:00:5e:10:00:01"],
    ["sourceIPv4Address", "192.0.2.1", "192.0.2.1"],
    ["sourceIPv6Address", "2001:db8::1", "2001:db8::1"],
    ["flowStartSeconds", "now", NOW / 1_000_000_000n],
    ["flowStartMilliseconds", "now-1s", NOW / 1_000_000n - 1000n],
    ["flowStartMicroseconds", "2026-07-22T12:00:00.000001Z", 1_784_721_600_000_001n],
    ["flowStartNanoseconds", "now", NOW],
    ["flowStartNanoseconds", "1784721600123456789", NOW],
  ])("has %s: %s", (name, text, value) => {
    expect(recordOf(name, `${name}: ${text}`)).toEqual({ [name]: value });
  });

  it("has values that are aliases as if they stood there", () => {
    const { entries } = parse(`
elements:
  - { name: &own mine, id: 5, enterprise: 99, type: unsigned64 }
templates:
  t: { elements: [octetDeltaCount, interfaceName, ipHeaderPacketSection, flowStartNanoseconds] }
  two: { elements: [octetDeltaCount, octetDeltaCount] }
  own: { elements: [mine] }
records:
  - template: t
    values: &all
      octetDeltaCount: &x 18446744073709551615
      interfaceName: &name 0070
      ipHeaderPacketSection: *name
      flowStartNanoseconds: 1784721600123456789
  - { template: t, values: *all }
  - { template: two, values: { octetDeltaCount: [*x, &x 9007199254740993] } }
  - { template: two, values: { octetDeltaCount: [1, *x] } }
  - { template: own, values: { *own : *x } }
`);
    const first = {
      octetDeltaCount: 2n ** 64n - 1n,
      interfaceName: "0070",
      ipHeaderPacketSection: Buffer.of(0, 0x70),
      flowStartNanoseconds: NOW,
    };
    expect(entries.map((entry) => entry.record(NOW))).toEqual([
      first,
      first,
      { octetDeltaCount: [2n ** 64n - 1n, 2n ** 53n + 1n] },
      { octetDeltaCount: [1n, 2n ** 53n + 1n] },
      { mine: 2n ** 53n + 1n },
    ]);
  });

  it("has lists of values for elements that come several times", () => {
    expect(recordOf("octetDeltaCount, octetDeltaCount(2)", "octetDeltaCount: [1, 2]")).toEqual({
      octetDeltaCount: [1n, 2n],
    });
  });

  it("has elements of its own", () => {
    const own =
      "elements: [{ name: mine, id: 5, enterprise: 99, type: unsigned32, length: 3, semantics: flags }]\n";
    expect(recordOf("mine", "mine: 7", own)).toEqual({ mine: 7n });
  });

  it("has structured data", () => {
    const text = `
templates:
  inner: { elements: [ioamNodeId] }
  t: { elements: [basicList, subTemplateList, subTemplateMultiList] }
records:
  - template: t
    values:
      basicList: { element: ingressInterface(2), semantic: ordered, values: [1, 2] }
      subTemplateList: { template: inner, records: [{ ioamNodeId: 1 }] }
      subTemplateMultiList: { lists: [{ template: inner, records: [] }] }
`;
    const { templates, entries } = parse(text);
    const [inner] = templates;
    expect(entries[0]!.record(NOW)).toMatchObject({
      basicList: { length: 2, semantic: "ordered", values: [1n, 2n] },
      subTemplateList: { template: inner, records: [{ ioamNodeId: 1n }] },
      subTemplateMultiList: { lists: [{ template: inner, records: [] }] },
    });
  });

  it("may be the example", () => {
    const { templates, entries } = parse(EXAMPLE);
    expect(templates.length).toBeGreaterThan(1);
    expect(entries.length).toBeGreaterThan(1);
    // What stands in comments is right too.
    const all = EXAMPLE.replace(/^( *)# (?=(?:interface|hop|path|- | {2}).*[:[{])/gm, "$1");
    expect(all).toMatch(/^ {2}- template: path$/m);
    expect(parse(all).entries).toHaveLength(entries.length + 2);
  });
});

describe("docs/send.md", () => {
  it("has a file of records that can be sent", async () => {
    const text = await readFile(new URL("../../../docs/send.md", import.meta.url), "utf8");
    const { templates, entries } = parse(/```yaml\n([\s\S]*?)```/.exec(text)![1]!);
    expect(templates.map(({ id, scopeFieldCount }) => [id, scopeFieldCount])).toEqual([
      [300, 0],
      [256, 1],
    ]);
    expect(entries.map(({ repeat, rate }) => [repeat, rate])).toEqual([
      [1, undefined],
      [1000, 100],
    ]);
  });
});

describe("what is wrong with a file of records", () => {
  it.each<[string, string, string[]]>([
    ["YAML", "templates: [", ["r.yaml:1:13: not valid YAML"]],
    [
      "its keys",
      "template: {}",
      [
        "r.yaml:1:1: the file of records has no templates: give a mapping of templates",
        "r.yaml:1:1: the file of records has no records: give a list of records",
        "r.yaml:1:1: unknown key template: known here: observationDomainId, elements, templates, records",
      ],
    ],
    [
      "elements of its own",
      `
elements: [{ name: octetDeltaCount, id: 1, enterprise: 5, type: string }, { name: o, id: 9, enterprise: 5, type: ipv4Address, length: 5 }]
templates: { t: { elements: [octetDeltaCount] } }
records: [{ template: t, values: {} }]`,
      [
        "r.yaml:2:12: elements[0]: information element octetDeltaCount (5/1) is there already",
        'r.yaml:2:135: elements[1].length is "5": ipv4Address cannot be of that length',
      ],
    ],
    [
      "aliases of what is wrong: at the alias, or inside what it stands for",
      `
templates: { t: { elements: [octetDeltaCount(1)] } }
records:
  - { template: t, values: &v { octetDeltaCount: &n 256 } }
  - { template: t, values: { octetDeltaCount: *n } }
  - { template: t, values: *v }
  - { template: t, values: &w { nothing: 1 } }
  - { template: t, values: *w }`,
      [
        'r.yaml:4:53: records[0].values.octetDeltaCount is "256": give a whole number from 0 to 255',
        'r.yaml:4:53: records[2].values.octetDeltaCount is "256": give a whole number from 0 to 255',
        'r.yaml:5:47: records[1].values.octetDeltaCount is "256": give a whole number from 0 to 255',
        "r.yaml:7:31: records[3].values has no octetDeltaCount: give it a value",
        "r.yaml:7:33: unknown key nothing in records[3].values: known here",
        "r.yaml:7:33: unknown key nothing in records[4].values: known here",
        "r.yaml:8:28: records[4].values has no octetDeltaCount: give it a value",
      ],
    ],
    [
      "values without an end",
      `
templates: { t: { elements: [subTemplateList] } }
records:
  - { template: t, values: &v { subTemplateList: { template: t, records: [*v] } } }
  - { template: t, values: { subTemplateList: &l { template: t, records: [{ subTemplateList: *l }] } } }`,
      [
        "r.yaml:4:31: records[0].values: an alias in it stands for what it lies in",
        "r.yaml:5:28: records[1].values: an alias in it stands for what it lies in",
      ],
    ],
    [
      "templates",
      `
templates:
  a: { id: 256, elements: [octetDeltaCont, sourceIPv4Address(3), "x y"] }
  d: { elements: [sourceIPv4Address(1), sourceIPv4Address(variable)] }
  b: { id: 256, elements: [octetDeltaCount] }
  c: { elements: [] }
records: [{ template: a, values: {} }]`,
      [
        'r.yaml:3:28: templates.a.elements[0] is "octetDeltaCont": no element has this name: did you mean octetDeltaCount?',
        'r.yaml:3:44: templates.a.elements[1] is "sourceIPv4Address(3)": ipv4Address cannot be 3 octets long',
        'r.yaml:3:66: templates.a.elements[2] is "x y": give the name of an element, such as',
        'r.yaml:4:19: templates.d.elements[0] is "sourceIPv4Address(1)": ipv4Address cannot be 1 octet long',
        'r.yaml:4:41: templates.d.elements[1] is "sourceIPv4Address(variable)": ipv4Address cannot be of variable length',
        'r.yaml:5:12: templates.b.id is "256": template id 256 is taken',
        "r.yaml:6:6: templates.c: template 257 is not valid: it has no fields",
      ],
    ],
    [
      "repetitions",
      `
templates: { t: { elements: [octetDeltaCount] } }
records: [{ template: t, values: 7, repeat: 0, rate: 5 }]`,
      [
        'r.yaml:3:34: records[0].values is "7": give a mapping of values by element name',
        'r.yaml:3:45: records[0].repeat is "0": give a whole number from 1',
        'r.yaml:3:54: records[0].rate is "5": give a rate such as 10/s',
      ],
    ],
    [
      "values",
      `
templates: { t: { elements: [octetDeltaCount(2), octetDeltaCount, flowDirection, flowStartSeconds, ipHeaderPacketSection, interfaceName] } }
records:
  - { template: u, values: {} }
  - template: t
    values:
      octetDeltaCount: [70000, 1]
      flowDirektion: 0
      flowStartSeconds: now-5
      ipHeaderPacketSection: 0x123
      interfaceName:`,
      [
        'r.yaml:4:17: records[0].template is "u": give one of the templates t',
        "r.yaml:7:7: records[1].values has no flowDirection: give it a value, of type unsigned8",
        'r.yaml:7:25: records[1].values.octetDeltaCount[0] is "70000": give a whole number from 0 to 65535',
        "r.yaml:8:7: unknown key flowDirektion in records[1].values: did you mean flowDirection?",
        'r.yaml:9:25: records[1].values.flowStartSeconds is "now-5": give a time such as 2026-07-22T12:00:00.5Z, now',
        'r.yaml:10:30: records[1].values.ipHeaderPacketSection is "0x123": give hexadecimal digits',
        'r.yaml:11:21: records[1].values.interfaceName is "": give a string',
      ],
    ],
    [
      "lists",
      `
templates: { inner: { elements: [ioamNodeId] }, t: { elements: [basicList, subTemplateList, subTemplateMultiList] } }
records:
  - template: t
    values:
      basicList: { element: ioamNodeID, values: [] }
      subTemplateList: { template: outer, records: [] }
      subTemplateMultiList: 5
  - template: t
    values:
      basicList: { element: ioamNodeId, semantic: all, values: [1] }
      subTemplateList: { template: inner, records: [{ ioamNodeId: -1 }] }
      subTemplateMultiList: { lists: [{ template: inner }] }`,
      [
        'r.yaml:6:29: records[0].values.basicList.element is "ioamNodeID": no element has this name: did you mean ioamNodeId?',
        'r.yaml:7:36: records[0].values.subTemplateList.template is "outer": give one of inner, t',
        'r.yaml:8:29: records[0].values.subTemplateMultiList is "5": give { lists: [',
        "r.yaml:11:18: records[1].values.basicList: give as semantic one of noneOf, exactlyOneOf",
        'r.yaml:12:67: records[1].values.subTemplateList.records[0].ioamNodeId is "-1": give a whole number',
        "r.yaml:13:39: records[1].values.subTemplateMultiList.lists[0]: give { lists: [",
      ],
    ],
    [
      "the size of a record",
      `
templates: { t: { elements: [interfaceName, interfaceDescription] } }
records: [{ template: t, values: { interfaceName: ${"x".repeat(40_000)}, interfaceDescription: ${"y".repeat(40_000)} } }]`,
      ["r.yaml:3:34: records[0].values: the record would have more than the 65515 octets"],
    ],
  ])("%s", (_what, text, expected) => {
    const found = mistakes(text);
    expect(found.map((line, i) => line.slice(0, expected[i]?.length))).toEqual(expected);
  });
});
