// docs/ipfix.md: its example runs as it stands, and its tables say what the code does.
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { flowTemplates } from "../../../src/agent/templates/flow-template.ts";
import { traceTemplates } from "../../../src/agent/trace/trace-template.ts";
import { ElementRegistry, ioamElements, VARIABLE_LENGTH } from "../../../src/ipfix/index.ts";
import { Decoder, unsignedValue } from "../../conformance/decoder.ts";
import { Collector } from "../../lab/collector.ts";
import { type Folder, temporaryFolder } from "../../lab/guard.ts";
import { messages } from "../../lab/ipfix-messages.ts";
import { run } from "../../lab/process.ts";

const root = new URL("../../../", import.meta.url);
const text = readFileSync(new URL("docs/ipfix.md", root), "utf8");

/** The cells of the rows of all tables under a heading. */
function rows(heading: string): string[][] {
  const section = text.slice(text.indexOf(`\n## ${heading}\n`) + 4).split("\n## ")[0]!;
  return section
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.split("|").slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
}

describe("the documentation", () => {
  it("lists the elements of the flow templates, in their order", () => {
    const registry = new ElementRegistry(ioamElements());
    const templates = flowTemplates(registry);
    const table = rows("Flow records").filter(([name]) => /^[a-z]+[A-Z0-9]/.test(name!));
    for (const [name, number, octets] of table) {
      const { enterprise, id, length } = registry.get(name!);
      expect(number).toBe(enterprise === 0 ? String(id) : `${enterprise}/${id}`);
      expect(octets).toBe(String(length));
    }
    for (const { id, fields } of templates) {
      const listed = table.filter(([, , , value]) => {
        const only = /^templates? ([\d and]+)/.exec(value!)?.[1];
        return only === undefined || only.includes(String(id));
      });
      expect(fields.map(({ element }) => element.name)).toEqual(listed.map(([name]) => name));
    }
  });

  it("lists the elements of the trace templates, in their order", () => {
    const templates = traceTemplates(new ElementRegistry(ioamElements()));
    const table = rows("Trace records").filter(([, number]) => /^[\d/]+$/.test(number!));
    const ids = rows("Trace records").filter(([id, of]) => /^2\d\d$/.test(id!) && of !== "");
    expect(ids.map(([id]) => Number(id))).toEqual(templates.map(({ id }) => id));
    let which = ids.map(([id]) => id!);
    const listed = new Map(which.map((id): [string, string[][]] => [id, []]));
    for (const [name, number, octets, value] of table) {
      const named = /^templates? (\d+)(?: (and|to) (\d+))?/.exec(value!);
      // "as all that follows": those of node data say so once.
      const before = which;
      if (named !== null) {
        const [, from, , to = from] = named;
        which = ids
          .map(([id]) => id!)
          .filter((id) => id === from || id === to || named[2] === "to");
        if (named[2] === "to") which = which.filter((id) => id >= from! && id <= to!);
      }
      for (const id of which) listed.get(id)!.push([name!, number!, octets!]);
      if (named !== null && !value!.includes("as all that follows")) which = before;
    }
    for (const { id, fields } of templates) {
      const of = fields.map(({ element, length }) => [
        element.name,
        element.enterprise === 0 ? String(element.id) : `${element.enterprise}/${element.id}`,
        length === VARIABLE_LENGTH ? "variable" : String(length),
      ]);
      expect(listed.get(String(id))).toEqual(of);
    }
  });

  it("lists the IOAM elements", () => {
    const listed = rows("Elements of IOAM").filter(([id]) => /^\d+$/.test(id!));
    expect(listed).toEqual(
      ioamElements().map(({ id, name, type, length }) => [
        String(id),
        name,
        type,
        length === VARIABLE_LENGTH ? "variable" : String(length),
      ]),
    );
  });
});

describe("the example", () => {
  let folder: Folder | undefined;
  afterAll(() => folder?.remove());

  it("runs as it stands, and its records arrive", async () => {
    const code = /```js\n([\s\S]*?)```/.exec(text)![1]!;
    const library = pathToFileURL(join(root.pathname, "src/ipfix/index.ts")).href;
    expect(code).toContain('from "ioamctl/ipfix"');
    folder = await temporaryFolder("example");
    const file = join(folder.path, "example.mjs");
    await writeFile(file, code.replace('"ioamctl/ipfix"', JSON.stringify(library)));

    await using collector = await Collector.start({ address: "::1" });
    const args = ["--import", "tsx", file, "::1", String(collector.port)];
    const { stdout } = await run("node", args, { cwd: root.pathname });
    expect(stdout).toContain("1000 records sent, 0 dropped");

    const sender = await collector.sender(2);
    const decoder = new Decoder();
    const records = Array.from(messages(await readFile(sender.file))).flatMap(
      ({ octets }) => decoder.decode(octets).records,
    );
    expect(records.map(({ values }) => unsignedValue(values[4]!))).toEqual(
      Array.from({ length: 1000 }, (_, i) => BigInt(i) * 1500n),
    );
  });
});
