// Templates in a configuration: what is read, what comes out, what is said when it is wrong.
import { describe, expect, it } from "vitest";
import type { AgentConfig } from "../../../src/agent/config/agent-config.ts";
import { ConfigError } from "../../../src/agent/config/checked-yaml.ts";
import { parseConfig } from "../../../src/agent/config/load-config.ts";
import { flowTemplates } from "../../../src/agent/templates/flow-template.ts";
import { traceTemplates } from "../../../src/agent/trace/trace-template.ts";
import { ElementRegistry, ioamElements, type Template } from "../../../src/ipfix/index.ts";

const HEAD = "trace: { source: kernel }\noutputs: [{ console: {} }]\n";

const parse = (templates: string): AgentConfig["templates"] =>
  parseConfig(`${HEAD}templates: { ${templates} }\n`, "a.yaml").templates;

/** Ids of the templates, with the numbers and lengths of their elements. */
function shapes(templates: readonly Template[]): [number, string][] {
  return templates.map(({ id, fields }) => [
    id,
    fields.map(({ element, length }) => `${element.name}:${length}`).join(" "),
  ]);
}

describe("configured templates", () => {
  const registry = new ElementRegistry(ioamElements());

  it("have the elements of their list, in its order; addresses are those of the flow", () => {
    const { flow } = parse(
      "flow: { id: 1024, elements: [destinationIPv6Address, packetDeltaCount(3), " +
        "tunnelSourceIPv6Address, sourceIPv6Address, flowStartNanoseconds, ioamTraceType(4)] }",
    );
    const rest = "flowStartNanoseconds:8 ioamTraceType:4";
    const tunnel = "tunnelSourceIPv6Address:16";
    const source = "sourceIPv6Address:16";
    expect(shapes(flowTemplates(registry, flow))).toEqual([
      [1024, `destinationIPv6Address:16 packetDeltaCount:3 ${source} ${rest}`],
      [1025, `destinationIPv6Address:16 packetDeltaCount:3 ${tunnel} ${source} ${rest}`],
      [1026, `destinationIPv4Address:4 packetDeltaCount:3 ${tunnel} sourceIPv4Address:4 ${rest}`],
    ]);
  });

  it("of hops leave out what a record does not have", () => {
    const { hop, dex, pathDelay } = parse(
      "hop: { id: 4000, elements: [ioamTraceId, ioamUndefinedData, ioamSnapshotData] }, " +
        "dex: { elements: [ioamFlowId, ioamNodeIdWide(8)] }, pathDelay: { id: 65535 }",
    );
    const all = shapes(traceTemplates(registry, { hop, dex, pathDelay }));
    expect(all.slice(0, 4)).toEqual([
      [4000, "ioamTraceId:8"],
      [4001, "ioamTraceId:8 ioamUndefinedData:40 ioamSnapshotData:65535"],
      [261, "ioamFlowId:4 ioamNodeIdWide:8"],
      [262, "ioamFlowId:4 ioamNodeIdWide:8"],
    ]);
    expect(all[4]![0]).toBe(65535);
    expect(all[4]![1]).toBe(shapes(traceTemplates(registry))[4]![1]);
  });

  it("are by default the same as without a word", () => {
    expect(shapes(flowTemplates(registry, parse("").flow))).toEqual(
      shapes(flowTemplates(registry)),
    );
    expect(shapes(traceTemplates(registry, parse("flow: {}")))).toEqual(
      shapes(traceTemplates(registry)),
    );
  });

  it("do not depend on the enterprise numbers, which their elements take", () => {
    const { flow } = parse("flow: { elements: [ioamTraceType, ioamNodeId] }");
    const other = new ElementRegistry(ioamElements({ ioam: 64000, own: 64001 }));
    const fields = flowTemplates(other, flow)[0]!.fields;
    expect(fields.map(({ element }) => [element.enterprise, element.id])).toEqual([
      [64001, 101],
      [64000, 2],
    ]);
  });

  it("may have ids beside each other, and those of a group that has moved away", () => {
    const { flow, hop } = parse(
      "flow: { id: 259 }, hop: { id: 256 }, dex: { id: 262 }, pathDelay: { id: 258 }",
    );
    expect([flow.id, hop.id]).toEqual([259, 256]);
  });
});

/** Where it is: at the mark ^. */
const COLUMN = "templates: { ".length + 1;

function mistakes(templates: string): readonly string[] {
  try {
    parse(templates);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

describe("a mistake in templates is told where it is", () => {
  it.each([
    ["^flows: {}", "unknown key flows in templates: known here: flow, hop, dex, pathDelay"],
    ["flow: { ^element: [] }", "unknown key element in templates.flow: known here: id, elements"],
    ["flow: ^[packetDeltaCount]", "templates.flow: give a mapping with: id, elements"],
    ["flow: { elements: ^all }", 'templates.flow.elements is "all": give a list of elements'],
    ["flow: { elements: [^7] }", 'templates.flow.elements[0] is "7": give the name of an element'],
    [
      "flow: { elements: [packetDeltaCount, ^packetDeltaCounter] }",
      'elements[1] is "packetDeltaCounter": no element has this name: did you mean packetDeltaCount?',
    ],
    [
      "flow: { elements: [^flowstartmilliseconds] }",
      "no element has this name: did you mean flowStartMilliseconds?",
    ],
    [
      "flow: { elements: [^xyzzy] }",
      "no element has this name: docs/ipfix.md lists those that flow records have",
    ],
    [
      "flow: { elements: [^ipNextHopIPv6Address] }",
      "flow records do not have this element: docs/ipfix.md lists those that flow records have",
    ],
    [
      "flow: { elements: [^sourceIPv4Address] }",
      "sourceIPv6Address stands for it, where a record has the one or the other: give that",
    ],
    ["hop: { elements: [^packetDeltaCount] }", "hop records do not have this element"],
    ["hop: { elements: [^ioamFlowId] }", "hop records do not have this element"],
    ["pathDelay: { elements: [^ioamHopIndex] }", "pathDelay records do not have this element"],
    [
      "flow: { elements: [packetDeltaCount, ^packetDeltaCount(4)] }",
      'is "packetDeltaCount(4)": is listed already: give it once',
    ],
    [
      "flow: { elements: [^packetDeltaCount 4] }",
      "give the name of an element, such as octetDelta",
    ],
    [
      "flow: { elements: [^packetDeltaCount()] }",
      "give the name of an element, such as octetDelta",
    ],
    ["flow: { elements: [^packetDeltaCount(0)] }", "give it a length from 1 to 8, or none"],
    ["flow: { elements: [^packetDeltaCount(9)] }", "give it a length from 1 to 8, or none"],
    ["flow: { elements: [^ioamNodeId(2)] }", "give it a length from 3 to 4, or none"],
    ["flow: { elements: [^flowStartSeconds(2)] }", "its length is fixed: give it without one"],
    ["flow: { elements: [^sourceIPv6Address(4)] }", "its length is fixed: give it without one"],
    ["flow: { elements: [^flowEndReason(2)] }", "its length is fixed: give it without one"],
    [
      "hop: { elements: [ioamTraceId, ^ioamUndefinedData(4)] }",
      "its length is fixed: give it without one",
    ],
    [
      "hop: { elements: [^ioamSnapshotData, ioamTraceId] }",
      "its length varies from record to record: give it last",
    ],
    [
      "flow: { elements: ^[tunnelSourceIPv6Address] }",
      "templates.flow.elements: give an element that every flow record has: those of IPv6 would",
    ],
    ["flow: { elements: ^[] }", "give an element that every flow record has"],
    [
      "hop: { elements: ^[ioamSnapshotData] }",
      "give an element that every hop record has: those without data of the bits 12 to 22 would",
    ],
    ["flow: { id: ^255 }", 'templates.flow.id is "255": give a whole number from 256 to 65533'],
    ["flow: { id: ^65534 }", "give a whole number from 256 to 65533"],
    ["flow: { id: ^1024.5 }", "give a whole number"],
    ["pathDelay: { id: ^65536 }", "give a whole number from 256 to 65535"],
    ["flow: { id: ^257 }", "it takes 257 to 259, but hop has 259 to 260: give another"],
    [
      "hop: { id: 400 }, dex: { id: 402 }, pathDelay: { id: ^401 }",
      "it takes 401, but hop has 400 to 401: give another",
    ],
    ["hop: { id: ^499 }", "it takes 499 to 500, but 500 to 599 are those of options: give another"],
    ["pathDelay: { id: ^599 }", "it takes 599, but 500 to 599 are those of options: give another"],
  ])("%s", (marked, expected) => {
    const all = mistakes(marked.replace("^", ""));
    expect(all[0]).toContain(`a.yaml:3:${COLUMN + marked.indexOf("^")}: `);
    expect(all[0]).toContain(expected);
    expect(all).toHaveLength(1);
  });

  it("each of them, in one list", () => {
    expect(
      mistakes("flow: { elements: [packets, octets, flowEndReason, flowEndReason] }"),
    ).toHaveLength(3);
  });
});
