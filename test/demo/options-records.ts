// The options records among what a demo's collector got: they are told of, and not compared.
import type { IpfixDumpResult } from "../lab/ipfixdump.ts";
import { paragraph } from "./screen.ts";

/** Says how many options records there are, and leaves them out. */
export function withoutOptions(dump: IpfixDumpResult): IpfixDumpResult {
  const records = dump.records.filter(({ options }) => !options);
  paragraph(
    `${dump.records.length - records.length} of the ${dump.records.length} records are options ` +
      "(RFC 7011 section 4), left out here: names and types of the elements (RFC 5610), the agent's " +
      "own counts, and the names of interfaces that it meters.",
  );
  return { ...dump, records };
}
