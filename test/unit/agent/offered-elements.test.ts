// docs/ipfix.md: every element that a configuration may list is in its table, as the code has it.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseConfig } from "../../../src/agent/config/load-config.ts";
import { offeredElements } from "./offered-elements.ts";

const text = readFileSync(new URL("../../../docs/ipfix.md", import.meta.url), "utf8");
const section = text.split("\n## Templates of your own\n")[1]!.split("\n## ")[0]!;

it("the documentation lists the elements that are offered, and no others", () => {
  const rows = section
    .split("\n")
    .filter((line) => /^\| [a-z]\w+ \| [\d/]+ \|/.test(line))
    .map((line) => line.split("|").slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim().replaceAll("`", "")));
  expect(rows).toEqual(offeredElements());
});

it("the example of the documentation is right", () => {
  const example = /```yaml\n([\s\S]*?)```/.exec(section)![1]!;
  const { templates } = parseConfig(
    `trace: { source: kernel }\noutputs: [{ console: {} }]\n${example}`,
    "ipfix.md",
  );
  expect(templates.flow.id).toBe(1024);
  expect(templates.hop.elements).toHaveLength(4);
});
