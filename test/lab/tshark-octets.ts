// The octets of every field as tshark takes messages apart, in their order: what it makes of them or not.
import { runTshark } from "./tshark.ts";

/** A data record, that of options too. */
export interface TsharkOctets {
  domain: number;
  template: number;
  /** Hexadecimal digits of each field that is not empty. */
  values: string[];
}

/** Lengths of fields that vary, which it shows beside their octets. */
const LENGTHS = /^cflow\.string_len/;

/** Decodes the messages of a file (RFC 5655), each as a datagram of one session. */
export async function tsharkOctets(file: string): Promise<TsharkOctets[]> {
  const records: TsharkOctets[] = [];
  let domain = 0;
  let template = 0;
  let record: TsharkOctets | undefined;
  /** Levels of fields that are open within the record, and the outermost that was taken. */
  let depth = 0;
  let taken = 0;
  for (const line of (await runTshark(file, "pdml")).split("\n")) {
    if (line.trim() === "</field>") {
      if (depth > 0) depth--;
      if (depth < taken) taken = 0;
      if (depth === 0) record = undefined;
      continue;
    }
    const tag = /^\s*<field name="([^"]*)"(.*?)(\/?)>$/.exec(line);
    if (tag === null) continue;
    const [, name = "", attributes = "", closed] = tag;
    const of = (key: string): string | undefined =>
      new RegExp(` ${key}="([^"]*)"`).exec(attributes)?.[1];
    if (record === undefined) {
      if (name === "cflow.od_id") domain = Number(of("show"));
      template = Number(/^Set \d+ \[id=(\d+)\]/.exec(of("show") ?? "")?.[1] ?? template);
      if (/^Flow \d+/.test(of("show") ?? "") && closed === "") {
        record = { domain, template, values: [] };
        records.push(record);
        depth = 1;
      }
      continue;
    }
    if (closed === "") depth++;
    const value = of("value");
    if (taken > 0 || value === undefined || LENGTHS.test(name)) continue;
    record.values.push(value);
    if (closed === "") taken = depth;
  }
  return records;
}
