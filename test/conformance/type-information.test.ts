// Type information (RFC 5610): other people's decoders learn from it what elements of enterprises are.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type AbstractDataType,
  type DataRecord,
  encodeRecord,
  type InformationElement,
  ianaElements,
  ioamElements,
  type Semantics,
  Template,
  typeInformation,
  type Value,
} from "../../src/ipfix/index.ts";
import { buildMessage } from "../lab/build-message.ts";
import { type Folder, temporaryFolder } from "../lab/guard.ts";
import { ipfixDump } from "../lab/ipfixdump.ts";
import { concat } from "../lab/octets.ts";
import { tshark } from "../lab/tshark.ts";

/** A value of each type, and how ipfixDump prints it once it knows the type. */
const SAMPLES: [AbstractDataType, Value, string][] = [
  ["octetArray", Uint8Array.of(1, 2, 255), "0102ff"],
  ["unsigned8", 255, "255"],
  ["unsigned16", 65535, "65535"],
  ["unsigned32", 4_294_967_295, "4294967295"],
  ["unsigned64", 2n ** 64n - 1n, "18446744073709551615"],
  ["signed8", -1, "-1"],
  ["signed16", -2, "-2"],
  ["signed32", -3, "-3"],
  ["signed64", -4, "-4"],
  ["float32", 1.5, "1.5"],
  ["float64", -2.5, "-2.5"],
  ["boolean", true, "1"],
  ["macAddress", "02:00:5e:10:00:01", "02:00:5e:10:00:01"],
  ["string", "häß", "häß"],
  ["dateTimeSeconds", 1_720_000_000, "2024-07-03 09:46:40"],
  ["dateTimeMilliseconds", 1_720_000_000_123, "2024-07-03 09:46:40.123"],
  // It prints the fractions of NTP timestamps as zero.
  ["dateTimeMicroseconds", 1_720_000_000_123_456n, "2024-07-03 09:46:40.000000"],
  ["dateTimeNanoseconds", 1_720_000_000_123_456_789n, "2024-07-03 09:46:40.000000000"],
  ["ipv4Address", "192.0.2.1", "192.0.2.1"],
  ["ipv6Address", "2001:db8::1", "2001:db8::1"],
];

const SEMANTICS: Semantics[] = ["default", "quantity", "totalCounter", "deltaCounter", "flags"];

const own = SAMPLES.map(([type], i): InformationElement => {
  const { length } = ianaElements().find((element) => element.type === type) ?? { length: 1 };
  const natural: Record<string, number> = { signed16: 2, signed64: 8, float32: 4 };
  return {
    name: `test${type[0]!.toUpperCase()}${type.slice(1)}`,
    id: 200 + i,
    enterprise: 32473,
    type,
    length: natural[type] ?? length,
    semantics: SEMANTICS[i % SEMANTICS.length]!,
    units: i % 2 === 0 ? "packets" : undefined,
    status: "current",
  };
});

const elements = [...ioamElements(), ...own];
const information = typeInformation({
  // IANA's own are known to every collector; and one that is there twice is told once.
  elements: [...ianaElements(), ...elements, ...ioamElements()],
  templateId: 999,
  observationDomainId: 1,
  period: 600,
});
const told = [...information.records()];

const template = new Template(
  256,
  own.map((element) => ({ element })),
);
const values: DataRecord = Object.fromEntries(own.map(({ name }, i) => [name, SAMPLES[i]![1]]));

let folder: Folder;
let file: string;

beforeAll(async () => {
  folder = await temporaryFolder("types");
  file = join(folder.path, "types.ipfix");
  // As a session sends it: before the templates of data, and within packets.
  const messages = [];
  for (let at = 0; at < told.length; at += 10) {
    const content = told
      .slice(at, at + 10)
      .map((record) => encodeRecord(information.template, record));
    const sets = [{ id: 3, content: [information.template.record] }];
    messages.push(buildMessage({ sequence: at, sets: [...sets, { id: 999, content }] }));
  }
  const data = encodeRecord(template, values);
  const sets = [
    { id: 2, content: [template.record] },
    { id: 256, content: [data] },
  ];
  messages.push(buildMessage({ sequence: told.length, sets }));
  await writeFile(file, concat(...messages));
});
afterAll(() => folder?.remove());

describe("type information", () => {
  it("is of every element of an enterprise, once", () => {
    expect(information).toMatchObject({ first: true, period: 600, observationDomainId: 1 });
    expect(information.template.scopeFieldCount).toBe(2);
    expect(told.map((record) => record.informationElementName)).toEqual(
      elements.map(({ name }) => name),
    );
    for (const { description } of ioamElements()) expect(description).toBeTruthy();
  });

  it("tells no semantics that the type cannot have, and no U+0000", () => {
    const semantics = ["identifier", "flags", "quantity", "list", "default"] as const;
    const types = [
      "unsigned8",
      "signed8",
      "float32",
      "string",
      "ipv4Address",
      "basicList",
    ] as const;
    const records = (one: Partial<InformationElement>) =>
      Array.from(
        typeInformation({
          elements: [{ ...own[0]!, ...one }],
          templateId: 999,
          observationDomainId: 1,
          period: 600,
        }).records(),
      );
    const numbers = types.map((type) =>
      semantics.map((one) => records({ type, semantics: one })[0]?.informationElementSemantics),
    );
    // RFC 5610 section 3.10, and "list" for lists alone (RFC 6313).
    expect(numbers).toEqual([
      [4, 5, 1, 0, 0],
      [4, 0, 1, 0, 0],
      [0, 0, 1, 0, 0],
      [0, 0, 0, 0, 0],
      [0, 0, 0, 0, 0],
      [0, 0, 0, 6, 0],
    ]);
    expect(records({ name: "a\0b", description: "\0c" })[0]).toMatchObject({
      informationElementName: "ab",
      informationElementDescription: "c",
    });
  });

  it("has ipfixDump know names and types", async () => {
    const { records, warnings } = await ipfixDump(file, { rfc5610: true });
    expect(warnings).toEqual([]);
    const data = records.filter(({ template: id }) => id === 256);
    expect(data.map(({ fields }) => fields)).toEqual([
      Object.fromEntries(own.map(({ name }, i) => [name, SAMPLES[i]![2]])),
    ]);
    // Without it they are of no name.
    const blind = await ipfixDump(file);
    expect(Object.keys(blind.records.at(-1)!.fields)).toEqual(own.map(({ id }) => `32473/${id}`));
  });

  it("has records of which none is as long as two that a collector could take it for", () => {
    // pmacct: the template's length, with each field of variable length as -1 octet.
    const shortest = information.template.recordLength - 4;
    for (const record of told) {
      expect(encodeRecord(information.template, record).length).toBeLessThan(2 * shortest);
    }
  });

  it("is read by ipfixDump field by field", async () => {
    const { records } = await ipfixDump(file, { rfc5610: true });
    const read = records
      .filter(({ template: id }) => id === 999)
      .map(({ fields: { paddingOctets: _, ...fields } }) => fields);
    expect(read).toEqual(
      told.map(({ paddingOctets: _, ...record }) =>
        Object.fromEntries(Object.entries(record).map(([name, value]) => [name, String(value)])),
      ),
    );
    // The samples are in the order of IANA's numbers of the types.
    const numbers = read.slice(-own.length).map((fields) => fields.informationElementDataType);
    expect(numbers).toEqual(own.map((_, i) => String(i)));
    expect(read.find((fields) => fields.informationElementName === "ioamNodeId")).toMatchObject({
      privateEnterpriseNumber: "10383",
      informationElementId: "2",
      informationElementDataType: "3",
      informationElementSemantics: "4",
      informationElementUnits: "0",
      informationElementRangeBegin: "0",
      informationElementRangeEnd: "16777215",
    });
    expect(read.find((fields) => fields.informationElementName === "ioamHopLimit")).toMatchObject({
      informationElementUnits: "11",
      informationElementSemantics: "1",
    });
  });

  it("is taken by tshark without a warning", async () => {
    const { records, warnings } = await tshark(file);
    expect(warnings).toEqual([]);
    const read = records.filter(({ template: id }) => id === 999);
    expect(read).toHaveLength(told.length);
    for (const [i, { fields }] of read.entries()) {
      const record = told[i]!;
      expect(fields).toMatchObject({
        "cflow.private_enterprise_number": String(record.privateEnterpriseNumber),
        "cflow.information_element_id": String(record.informationElementId),
        "cflow.information_element_data_type": String(record.informationElementDataType),
        "cflow.information_element_semantics": String(record.informationElementSemantics),
        "cflow.information_element_units": String(record.informationElementUnits),
        "cflow.information_element_range_begin": "0",
        "cflow.information_element_range_end": String(record.informationElementRangeEnd),
        "cflow.information_element_name": record.informationElementName,
      });
    }
  });
});
