// Files (RFC 5655): each of them is a session that can be read without the others.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { fileDestination } from "../../src/ipfix/index.ts";
import { NumberedExport, receivedNumbers } from "../faults/numbered-export.ts";
import { type Folder, temporaryFolder } from "../lab/guard.ts";
import { messages } from "../lab/ipfix-messages.ts";
import { ipfixDump } from "../lab/ipfixdump.ts";

let folder: Folder | undefined;
afterEach(() => folder?.remove());

it("each file has all templates before its data, and is readable by itself", async () => {
  folder = await temporaryFolder("files");
  const exporting = new NumberedExport(
    fileDestination({ path: join(folder.path, "flows.ipfix"), maxOctets: 1_048_576 }),
  );
  for (let i = 0; i < 20; i++) await exporting.hand(3000);
  const { records } = await exporting.close();
  const names = (await readdir(folder.path)).sort().filter((name) => name.endsWith(".ipfix"));
  expect(names.length).toBeGreaterThan(3);
  const files = await Promise.all(names.map((name) => readFile(join(folder!.path, name))));
  // Each begins with the template and sequence number 0.
  expect(receivedNumbers(files)).toEqual(Array.from({ length: records }, (_, i) => i));
  for (const [i, octets] of files.entries()) {
    expect(octets.length).toBeLessThanOrEqual(1_048_576);
    const times = Array.from(messages(octets), ({ exportTime }) => exportTime);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const { warnings, records: read } = await ipfixDump(join(folder.path, names[i]!));
    expect(warnings).toEqual([]);
    expect(read.length).toBeGreaterThan(0);
  }
});
