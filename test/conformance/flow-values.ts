// Flow records as other people's decoders read them, brought to one form: element by element.
import { readFile } from "node:fs/promises";
import { messages } from "../lab/ipfix-messages.ts";
import { ipfixDump } from "../lab/ipfixdump.ts";
import { addressOctets, addressText, unhex } from "../lab/octets.ts";
import { type TsharkRecord, tshark } from "../lab/tshark.ts";
import { Decoder, signedValue, unsignedValue, type WireTemplate } from "./decoder.ts";
import { ENTERPRISE_ELEMENTS, enterpriseElement, IANA_ELEMENTS } from "./flow-elements.ts";

/** By element: an integer, times as Unix milliseconds, or an address as RFC 5952 writes it. */
export type FlowValues = Record<string, bigint | string>;

export interface DecodedFlows {
  records: FlowValues[];
  /** What the decoder complains about: nothing is right. */
  warnings: string[];
}

const isAddress = (name: string): boolean => name.endsWith("Address");
const isTime = (name: string): boolean => name.endsWith("Milliseconds");

/** What ipfixDump reads in the messages of a file, without options records. */
export async function readByIpfixDump(file: string): Promise<DecodedFlows> {
  const { records, warnings } = await ipfixDump(file, { elements: ENTERPRISE_ELEMENTS });
  const value = (name: string, text: string): bigint | string => {
    if (isAddress(name)) return text;
    if (isTime(name)) return BigInt(Date.parse(`${text.replace(" ", "T")}Z`));
    return BigInt(text);
  };
  return {
    warnings,
    records: records
      .filter(({ options }) => !options)
      .map(({ fields }) =>
        Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, value(name, text)])),
      ),
  };
}

/** What tshark reads in them, likewise. It shows elements of enterprises as octets, in the template's order. */
export async function readByTshark(file: string): Promise<DecodedFlows> {
  const templates = await fileTemplates(file);
  const { records, warnings } = await tshark(file);
  return {
    warnings,
    records: records
      .map((record) => ({ record, template: templates.get(record.template)! }))
      .filter(({ template }) => template.scopeFieldCount === 0)
      .map(({ record, template }) => ({
        ...ianaValues(record),
        ...enterpriseValues(record, template),
      })),
  };
}

/** The templates of a file that a strict decoder takes, by id. */
export async function fileTemplates(file: string): Promise<Map<number, WireTemplate>> {
  const decoder = new Decoder();
  const templates = new Map<number, WireTemplate>();
  for (const { octets } of messages(await readFile(file))) {
    for (const template of decoder.decode(octets).templates) templates.set(template.id, template);
  }
  return templates;
}

function ianaValues({ fields }: TsharkRecord): FlowValues {
  const values: FlowValues = {};
  for (const [name, field] of Object.entries(IANA_ELEMENTS)) {
    const text = fields[field];
    if (text === undefined) continue;
    if (isAddress(name)) values[name] = addressText(addressOctets(text));
    // "… 09:46:40.123000000 UTC": Date takes milliseconds.
    else if (isTime(name)) values[name] = BigInt(Date.parse(text.replace(/0{6} UTC$/, " UTC")));
    else values[name] = BigInt(text);
  }
  return values;
}

function enterpriseValues({ enterprise }: TsharkRecord, template: WireTemplate): FlowValues {
  const elements = template.fields
    .filter((field) => field.enterprise !== 0)
    .map((field) => enterpriseElement(field.enterprise, field.id));
  if (elements.length !== enterprise.length) {
    throw new Error(`tshark shows ${enterprise.length} of ${elements.length} enterprise elements`);
  }
  return Object.fromEntries(
    elements.map(({ name, type, length }, i) => {
      const octets = unhex(enterprise[i]);
      if (octets.length !== length) throw new Error(`${name} has ${octets.length} octets`);
      if (isAddress(name)) return [name, addressText(octets)];
      return [name, (type === "signed64" ? signedValue : unsignedValue)(octets)];
    }),
  );
}
