// Information elements: IANA's table and its generator, the IOAM elements, look-ups.
import { describe, expect, it } from "vitest";
import { moduleText, tableFromRegistry } from "../../../src/ipfix/elements/generate.ts";
import { IANA_TABLE } from "../../../src/ipfix/elements/iana.ts";
import { ElementRegistry, ianaElements, ioamElements } from "../../../src/ipfix/index.ts";

const REGISTRY = `<registry id="ipfix"><updated>2020-01-02</updated>
<registry id="ipfix-information-elements">
<record><name>Reserved</name><elementId>0</elementId></record>
<record updated="2019-01-01">
<name>exampleCounter</name>
<dataType>unsigned64</dataType>
<dataTypeSemantics>deltaCounter</dataTypeSemantics>
<elementId>1</elementId>
<status>current</status>
<units>4-octet words</units>
</record>
<record><name>exampleOctets</name><dataType>octetArray</dataType><elementId>7</elementId><status>deprecated</status><units></units></record>
</registry>
<registry id="other"><record><name>no</name><dataType>string</dataType><elementId>2</elementId></record></registry></registry>`;

describe("IANA's elements", () => {
  it("are read from the registry's XML, without ranges that are not assigned", () => {
    expect(tableFromRegistry(REGISTRY)).toEqual({
      updated: "2020-01-02",
      lines: [
        "1 exampleCounter unsigned64 deltaCounter 4-octet_words current",
        "7 exampleOctets octetArray default - deprecated",
      ],
    });
    expect(moduleText(REGISTRY)).toContain("IPFIX information elements as of 2020-01-02");
  });

  it("are all there, each name and id once", () => {
    const elements = ianaElements();
    expect(elements).toHaveLength(502);
    expect(IANA_TABLE.trim().split("\n")).toHaveLength(502);
    expect(new Set(elements.map(({ id }) => id)).size).toBe(502);
    expect(new Set(elements.map(({ name }) => name)).size).toBe(502);
    for (const { id, enterprise, length } of elements) {
      expect(id).toBeGreaterThan(0);
      expect(id).toBeLessThan(0x8000);
      expect(enterprise).toBe(0);
      expect(length).toBeGreaterThan(0);
    }
  });

  it.each([
    [1, "octetDeltaCount", "unsigned64", 8, "octets"],
    [27, "sourceIPv6Address", "ipv6Address", 16, undefined],
    [61, "flowDirection", "unsigned8", 1, undefined],
    [82, "interfaceName", "string", 65535, undefined],
    [136, "flowEndReason", "unsigned8", 1, undefined],
    [152, "flowStartMilliseconds", "dateTimeMilliseconds", 8, "milliseconds"],
    [325, "observationTimeNanoseconds", "dateTimeNanoseconds", 8, "nanoseconds"],
    [533, "pathDelaySumDeltaMicroseconds", "unsigned64", 8, undefined],
  ])("%i is %s", (id, name, type, length, units) => {
    const registry = new ElementRegistry();
    expect(registry.find(id)).toBe(registry.get(name));
    expect(registry.get(name)).toMatchObject({ id, type, length, units, enterprise: 0 });
  });
});

describe("the IOAM elements", () => {
  it.each([
    ["ioamNamespaceId", 10383, 0, 2],
    ["ioamHopLimit", 10383, 1, 1],
    ["ioamNodeId", 10383, 2, 3],
    ["ioamIngressInterfaceId", 10383, 3, 2],
    ["ioamEgressInterfaceId", 10383, 4, 2],
    ["ioamTimestampSeconds", 10383, 5, 4],
    ["ioamTimestampFraction", 10383, 6, 4],
    ["ioamNamespaceData", 10383, 7, 4],
    ["ioamQueueDepth", 10383, 8, 4],
    ["ioamNodeIdWide", 10383, 9, 7],
    ["ioamIngressInterfaceIdWide", 10383, 10, 4],
    ["ioamEgressInterfaceIdWide", 10383, 11, 4],
    ["ioamNamespaceDataWide", 10383, 12, 8],
    ["ioamSnapshotSchemaId", 10383, 13, 3],
    ["ioamSnapshotData", 10383, 14, 65535],
    ["ioamFlowId", 10383, 15, 4],
    ["ioamSequenceNumber", 10383, 16, 4],
    ["ioamTraceType", 32473, 101, 3],
    ["ioamExtensionFlags", 32473, 102, 1],
    ["ioamSequenceNumberLowest", 32473, 103, 4],
    ["ioamSequenceNumberHighest", 32473, 104, 4],
    ["ioamLostPacketCount", 32473, 105, 8],
    ["ioamExpectedPacketCount", 32473, 106, 8],
    ["ioamReorderedPacketCount", 32473, 107, 8],
    ["ioamDuplicatePacketCount", 32473, 108, 8],
    ["tunnelSourceIPv6Address", 32473, 109, 16],
    ["tunnelDestinationIPv6Address", 32473, 110, 16],
  ])("%s is %i/%i, %i octets", (name, enterprise, id, length) => {
    const registry = new ElementRegistry(ioamElements());
    expect(registry.get(name)).toMatchObject({ enterprise, id, length });
    expect(registry.find(id, enterprise)).toBe(registry.get(name));
  });

  it("take the enterprise numbers that are given", () => {
    const registry = new ElementRegistry(ioamElements({ ioam: 1, own: 2 }));
    expect(registry.get("ioamFlowId").enterprise).toBe(1);
    expect(registry.get("ioamTraceType").enterprise).toBe(2);
  });

  it("may share one enterprise number: no id is there twice", () => {
    const registry = new ElementRegistry(ioamElements({ ioam: 7, own: 7 }));
    expect(registry.find(101, 7)?.name).toBe("ioamTraceType");
    expect(registry.find(2, 7)?.name).toBe("ioamNodeId");
  });
});

describe("a registry", () => {
  it("says which name it does not know", () => {
    expect(() => new ElementRegistry().get("noSuchElement")).toThrow(/noSuchElement/);
    expect(new ElementRegistry().find(1, 99)).toBeUndefined();
  });

  it("gives out all its elements", () => {
    const more = ioamElements();
    expect([...new ElementRegistry(more)]).toHaveLength(502 + more.length);
  });
});
