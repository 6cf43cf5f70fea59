// Decodes IPFIX with ipfixDump (libfixbuf): somebody else's reading of what was exported.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "./guard.ts";
import { addressOctets, addressText } from "./octets.ts";
import { run } from "./process.ts";

/** An element that the decoder does not know by itself; an InformationElement will do. */
export interface ForeignElement {
  name: string;
  enterprise: number;
  id: number;
  /** Abstract data type, as RFC 7012 names it. */
  type: string;
}

export interface DecodedRecord {
  template: number;
  /** Of an options template: some of the fields are its scope. */
  options: boolean;
  /**
   * By element name, or "ENTERPRISE/ID" of an unknown one; addresses as RFC 5952 writes them, octets
   * as hexadecimal digits. Scope fields are among them. Values of an element that is there several
   * times have a comma between them.
   */
  fields: Record<string, string>;
}

export interface IpfixDumpResult {
  records: DecodedRecord[];
  /** Of each record its values in the template's order, also those of an element that is there twice. */
  values: [name: string, value: string][][];
  messages: number;
  templates: number;
  /** What it says on standard error: gaps in sequence numbers, sets without template, … */
  warnings: string[];
}

/** Elements in the XML that libfixbuf reads. */
function elementFile(elements: readonly ForeignElement[]): string {
  const records = elements.map(
    ({ name, type, enterprise, id }) => `    <record>
      <name>${name}</name>
      <dataType>${type}</dataType>
      <dataTypeSemantics>default</dataTypeSemantics>
${enterprise === 0 ? "" : `      <cert:enterpriseId>${enterprise}</cert:enterpriseId>\n`}      <elementId>${id}</elementId>
    </record>`,
  );
  return `<?xml version='1.0' encoding='UTF-8'?>
<registry id="test" xmlns="http://www.iana.org/assignments" xmlns:cert="http://www.cert.org/ipfix">
  <registry id="test-information-elements">
${records.join("\n")}
  </registry>
</registry>
`;
}

function fieldText(name: string, value: string): string {
  const octets = /^\(len: (?:0\)|\d+\) 0x([0-9a-f]+))$/.exec(value);
  if (octets) return octets[1] ?? "";
  const text = /^\(len: \d+\) (.*)$/.exec(value);
  if (text) return text[1]!;
  return /IPv[46]Address$/i.test(name) ? addressText(addressOctets(value)) : value;
}

function parseRecords(text: string): Pick<IpfixDumpResult, "records" | "values"> {
  const records: DecodedRecord[] = [];
  const values: IpfixDumpResult["values"] = [];
  let current: DecodedRecord | undefined;
  for (const line of text.split("\n")) {
    if (line.startsWith("---")) current = undefined;
    if (line.startsWith("--- data record")) {
      current = { template: 0, options: false, fields: {} };
      records.push(current);
      values.push([]);
    }
    if (current === undefined) continue;
    const template = /^\s+count: *\d+\s+tid: *(\d+)/.exec(line);
    if (template) current.template = Number(template[1]);
    const field = /^\t\(([\d/]+)\)( \(S\))?\s+(\S+) : (.*)$/.exec(line);
    if (!field) continue;
    const [, id, scope, name, value] = field as unknown as [string, string, ...string[]];
    if (scope !== undefined) current.options = true;
    const key = name.startsWith("_alien") ? id : name;
    const before = current.fields[key];
    const read = fieldText(name, value);
    current.fields[key] = before === undefined ? read : `${before}, ${read}`;
    values.at(-1)!.push([key, read]);
  }
  return { records, values };
}

/**
 * Decodes the messages of a file (RFC 5655). It is told of `elements`; with `rfc5610` it learns
 * others from the type information in the file.
 */
export async function ipfixDump(
  file: string,
  o: { elements?: readonly ForeignElement[]; rfc5610?: boolean } = {},
): Promise<IpfixDumpResult> {
  const folder = await temporaryFolder("ipfixdump");
  try {
    const xml = join(folder.path, "elements.xml");
    await writeFile(xml, elementFile(o.elements ?? []));
    const args = [
      "--in",
      file,
      "--hexdump",
      "1024",
      ...(o.elements === undefined ? [] : ["-e", xml]),
      ...(o.rfc5610 === true ? ["--rfc5610"] : []),
    ];
    const { stdout, stderr } = await run("ipfixDump", args, { timeout: 300_000 });
    const totals = /(\d+) Messages, (\d+) Data Records, (\d+) Template Records/.exec(stdout);
    const { records, values } = parseRecords(stdout);
    if (Number(totals?.[2]) !== records.length) {
      throw new Error(`ipfixDump counts ${totals?.[2]} records, ${records.length} were printed`);
    }
    return {
      records,
      values,
      messages: Number(totals?.[1]),
      templates: Number(totals?.[3]),
      warnings: stderr.split("\n").filter((line) => line !== ""),
    };
  } finally {
    await folder.remove();
  }
}
