// docs/ipfix.md: its example of records as values runs as it stands.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { ElementRegistry, ioamElements } from "../../../src/ipfix/index.ts";
import { decodedRecord } from "../../conformance/decoded-value.ts";
import { Decoder } from "../../conformance/decoder.ts";
import { Collector } from "../../lab/collector.ts";
import { type Folder, temporaryFolder } from "../../lab/guard.ts";
import { messages } from "../../lab/ipfix-messages.ts";
import { run } from "../../lab/process.ts";

const root = new URL("../../../", import.meta.url);

describe("the example of records as values", () => {
  let folder: Folder | undefined;
  afterAll(() => folder?.remove());

  it("runs as it stands, and its record arrives", async () => {
    const text = await readFile(new URL("docs/ipfix.md", root), "utf8");
    const section = text.slice(text.indexOf("\n### Records as values\n"));
    const code = /```js\n([\s\S]*?)```/.exec(section)![1]!;
    const library = pathToFileURL(join(root.pathname, "src/ipfix/index.ts")).href;
    expect(code).toContain('from "ioamctl/ipfix"');
    folder = await temporaryFolder("example");
    const file = join(folder.path, "values.mjs");
    await writeFile(file, code.replace('"ioamctl/ipfix"', JSON.stringify(library)));

    await using collector = await Collector.start({ address: "127.0.0.1" });
    const args = ["--import", "tsx", file, "127.0.0.1", String(collector.port)];
    const { stdout } = await run("node", args, { cwd: root.pathname });
    const [, count] = /^1 record sent, (\d+) messages$/m.exec(stdout)!;

    const sender = await collector.sender(Number(count));
    const registry = new ElementRegistry(ioamElements());
    const decoder = new Decoder();
    const records = Array.from(messages(await readFile(sender.file)), ({ octets }) =>
      decoder.decode(octets),
    ).flatMap((message) => message.records);
    const known = {
      typeOf: (enterprise: number, id: number) => registry.find(id, enterprise)!.type,
      template: (id: number) => decoder.template(1, id),
    };
    const { template, values } = records.at(-1)!;
    const [time, source, name, list] = decodedRecord(template, values, known);
    expect(Number(time) / 1e6).toBeLessThanOrEqual(Date.now());
    expect([source, name]).toEqual(["20010db8000000000000000000000001", "eth0"]);
    const hops = [
      [1n, 42_000n],
      [2n, 17_000n],
    ];
    expect(list).toEqual({ semantic: 4, lists: [{ template: 256, records: hops }] });
    // And the type information of every element of IOAM, before.
    expect(records.length).toBeGreaterThan(ioamElements().length);
  });
});
