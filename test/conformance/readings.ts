// Data records as our decoder reads them, and as other people's decoders have to show them.
import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import type { ElementRegistry, InformationElement } from "../../src/ipfix/index.ts";
import { wholeMessages } from "../lab/ipfix-messages.ts";
import { ipfixDump } from "../lab/ipfixdump.ts";
import { addressText } from "../lab/octets.ts";
import { tshark } from "../lab/tshark.ts";
import { tsharkOctets } from "../lab/tshark-octets.ts";
import { Decoder, floatValue, hex, ntpValue, signedValue, unsignedValue } from "./decoder.ts";

/** A data record: each element and its octets, in the template's order. */
export interface Reading {
  domain: number;
  template: number;
  fields: { element: InformationElement; octets: Uint8Array }[];
}

/** All data records in the messages of a file, those of options too; no sequence number may lack. */
export async function readings(file: string, registry: ElementRegistry): Promise<Reading[]> {
  const decoder = new Decoder();
  const found = Array.from(wholeMessages(await readFile(file))).flatMap((octets) => {
    const { domain, records } = decoder.decode(octets);
    return records.map(({ template, values }) => ({
      domain,
      template: template.id,
      fields: template.fields.map(({ id, enterprise }, i) => ({
        element: registry.find(id, enterprise)!,
        octets: values[i]!,
      })),
    }));
  });
  expect(decoder.gaps).toBe(0);
  return found;
}

/** What ipfixDump prints of a value; the fractions of NTP's timestamps are 0 to it. */
export function printed({ name, type }: InformationElement, octets: Uint8Array): string {
  if (name === "paddingOctets") return `len: ${octets.length}`;
  const time = (milliseconds: bigint): string =>
    new Date(Number(milliseconds)).toISOString().replace("T", " ").slice(0, -1);
  const seconds = (milliseconds: bigint): string => time(milliseconds).slice(0, 19);
  switch (type) {
    case "string":
      // In a field of fixed length, without the zeros that fill it.
      return Buffer.from(octets).toString().replace(/\0+$/, "");
    case "octetArray":
      return hex(octets);
    case "ipv4Address":
    case "ipv6Address":
      return addressText(octets);
    case "macAddress":
      return hex(octets).replaceAll(/(..)(?=.)/g, "$1:");
    case "float32":
    case "float64":
      return String(floatValue(octets));
    case "dateTimeSeconds":
      return seconds(1000n * unsignedValue(octets));
    case "dateTimeMilliseconds":
      return time(unsignedValue(octets));
    case "dateTimeMicroseconds":
      return `${seconds((1000n * ntpValue(octets)) >> 32n)}.000000`;
    case "dateTimeNanoseconds":
      return `${seconds((1000n * ntpValue(octets)) >> 32n)}.000000000`;
    default:
      return String(type.startsWith("signed") ? signedValue(octets) : unsignedValue(octets));
  }
}

/** ipfixDump reads the same records, value by value, and warns of nothing. */
export async function expectReadByIpfixDump(
  file: string,
  expected: readonly Reading[],
  elements: readonly InformationElement[],
): Promise<void> {
  const { records, values, warnings } = await ipfixDump(file, { elements });
  expect(warnings).toEqual([]);
  expect(records.map(({ template }, i) => ({ template, values: values[i] }))).toEqual(
    expected.map(({ template, fields }) => ({
      template,
      values: fields.map(({ element, octets }) => [element.name, printed(element, octets)]),
    })),
  );
}

/** tshark takes the same octets for the fields of the same records, and warns of nothing. */
export async function expectReadByTshark(
  file: string,
  expected: readonly Reading[],
): Promise<void> {
  expect((await tshark(file)).warnings).toEqual([]);
  expect(await tsharkOctets(file)).toEqual(
    expected.map(({ domain, template, fields }) => ({
      domain,
      template,
      values: fields.map(({ octets }) => hex(octets)).filter((value) => value !== ""),
    })),
  );
}
