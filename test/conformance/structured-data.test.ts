// Structured data (RFC 6313): lists of values and of records, read by other people's decoders.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type DataRecord,
  ElementRegistry,
  ExportingProcess,
  Template,
} from "../../src/ipfix/index.ts";
import { type Folder, temporaryFolder } from "../lab/guard.ts";
import { concat } from "../lab/octets.ts";
import { run } from "../lab/process.ts";
import { tshark } from "../lab/tshark.ts";
import { MemoryTransport } from "../unit/ipfix/memory-transport.ts";

const registry = new ElementRegistry();
const templateOf = (id: number, ...names: string[]): Template =>
  new Template(
    id,
    names.map((name) => ({ element: registry.get(name) })),
  );

const ports = templateOf(300, "sourceTransportPort", "interfaceName");
const addresses = templateOf(301, "sourceIPv6Address");
const flow = templateOf(256, "flowId", "basicList", "subTemplateList", "subTemplateMultiList");
const record: DataRecord = {
  flowId: 7,
  basicList: { element: registry.get("egressInterface"), semantic: "allOf", values: [1, 4, 8] },
  subTemplateList: {
    template: ports,
    semantic: "exactlyOneOf",
    records: [
      { sourceTransportPort: 1, interfaceName: "eth0" },
      { sourceTransportPort: 2, interfaceName: "" },
    ],
  },
  subTemplateMultiList: {
    semantic: "ordered",
    lists: [
      { template: ports, records: [{ sourceTransportPort: 3, interfaceName: "b" }] },
      { template: addresses, records: [{ sourceIPv6Address: "2001:db8::1" }] },
    ],
  },
};

let folder: Folder;
let file: string;

beforeAll(async () => {
  folder = await temporaryFolder("lists");
  file = join(folder.path, "lists.ipfix");
  const transport = new MemoryTransport();
  transport.reliable = true;
  const session = new ExportingProcess({
    destination: transport.destination,
    observationDomainId: 1,
  });
  await session.send(flow, [record, record]);
  await session.close();
  await writeFile(file, concat(...transport.messages));
});
afterAll(() => folder?.remove());

describe("lists", () => {
  it("are read by ipfixDump, with their semantics", async () => {
    const { stdout, stderr } = await run("ipfixDump", ["--in", file, "--data"]);
    expect(stderr).toBe("");
    const lines = stdout.split("\n").map((line) => line.trim().replace(/\s+/g, " "));
    // What follows the flow's own number, without the headers of records.
    const told = lines
      .filter(
        (line) => /^(count|\d|\()/.test(line) && !/^count: \d tid: \d+ \(0x01..\)$/.test(line),
      )
      .filter((line) => !line.endsWith(" :"));
    const expected = [
      "(148) flowId : 7",
      "count: 3 semantic: 3-allOf ie: (14) egressInterface",
      "1 : 1",
      "2 : 4",
      "3 : 8",
      "count: 2 semantic: 1-exactlyOneOf tid: 300 (0x012c)",
      "(7) sourceTransportPort : 1",
      "(82) interfaceName : (len: 4) eth0",
      "(7) sourceTransportPort : 2",
      "(82) interfaceName : (len: 0)",
      "count: 2 semantic: 4-ordered",
      "(7) sourceTransportPort : 3",
      "(82) interfaceName : (len: 1) b",
      "(27) sourceIPv6Address : 2001:0db8::0001",
    ];
    expect(told).toEqual([...expected, ...expected]);
  });

  it("are taken by tshark without a warning", async () => {
    const { records, warnings } = await tshark(file);
    expect(warnings).toEqual([]);
    expect(records.filter(({ template }) => template === 256)).toHaveLength(2);
  });
});
