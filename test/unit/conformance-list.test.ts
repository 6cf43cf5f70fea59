// docs/conformance.md: every line names tests that there are, or says why there is none.
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { faults, requirements } from "../lab/conformance-page.ts";
import { type TestTitle, testTitles } from "../lab/test-titles.ts";

const root = new URL("../../", import.meta.url);
const page = readFileSync(new URL("docs/conformance.md", root), "utf8");

const known = new Map<string, TestTitle[]>();

function titlesOf(file: string): TestTitle[] | undefined {
  const path = new URL(file, root);
  if (!known.has(file) && existsSync(path)) known.set(file, testTitles(readFileSync(path, "utf8")));
  return known.get(file);
}

describe("the list of requirements", () => {
  it("names tests that there are, or says why there is none, each requirement once", () => {
    expect(faults(requirements(page), titlesOf)).toEqual([]);
  });

  it("has a line for every line of its tables", () => {
    const rows = page.split("\n").filter((line) => line.startsWith("|"));
    const headers = rows.filter((line) => /^\| § \|/.test(line)).length;
    // Each table has a header and a line of dashes.
    expect(headers).toBeGreaterThan(2);
    expect(requirements(page)).toHaveLength(rows.length - 2 * headers);
    for (const { section, text } of requirements(page)) {
      expect(section).toMatch(/^\d+(\.\d+)*$/);
      expect(text).not.toBe("");
    }
  });

  const table = (...rows: string[]) =>
    requirements(["## RFC 1", "| § | word |", "|---|---|", ...rows].join("\n"));
  const tests = (file: string) =>
    file === "a.test.ts"
      ? [
          ["group", "one"],
          ["group", "two"],
          ["other", "two"],
        ]
      : undefined;
  const check = (...rows: string[]) => faults(table(...rows), tests);

  it("is right when tests and reasons are there", () => {
    const rows = [
      "| 3.2 | MUST | a | yes | `a.test.ts › one` |",
      "| 3.10 | MUST NOT | b | in part | `a.test.ts › group › two` But not all |",
      "| 3.10 | SHOULD | c | – | Nothing of that kind |",
    ];
    expect(check(...rows)).toEqual([]);
    expect(table(...rows)[1]).toMatchObject({
      document: "RFC 1",
      section: "3.10",
      tests: [{ file: "a.test.ts", titles: ["group", "two"] }],
      reason: "But not all",
    });
  });

  it.each([
    ["| 1 | MUST | a | yes | `b.test.ts › one` |", "there is no file b.test.ts"],
    ["| 1 | MUST | a | yes | `a.test.ts › three` |", 'a.test.ts has no test "three"'],
    ["| 1 | MUST | a | yes | `a.test.ts › group` |", 'a.test.ts has no test "group"'],
    ["| 1 | MUST | a | yes | `a.test.ts › two` |", 'a.test.ts has several tests "two"'],
    ["| 1 | MUST | a | no | Because of `a.test.ts › three` |", 'a.test.ts has no test "three"'],
    ["| 1 | MUST | a | yes | `a.test.ts` |", "a.test.ts is named without a test"],
    ["| 1 | MUST | a | yes | We believe so |", "no test shows it"],
    ["| 1 | MUST | a | in part | `a.test.ts › one` |", "no reason is given"],
    ["| 1 | MUST | a | no | |", "no reason is given"],
    ["| 1 | MAY | a | no | Why should it |", '"MAY" is no key word'],
    ["| 1 | MUST | a | maybe | Who knows |", '"maybe" does not say whether it is met'],
  ])("is wrong with %s", (row, fault) => {
    expect(check(row)).toEqual([`RFC 1, section 1 (a): ${fault}`]);
  });

  it("is wrong with a requirement twice, or out of order", () => {
    expect(
      check(
        "| 3.10 | MUST | a | no | A reason |",
        "| 3.10 | MUST | A | no | A reason |",
        "| 3.9 | MUST | a | no | A reason |",
      ),
    ).toEqual([
      "RFC 1, section 3.10 (A): is there twice",
      "RFC 1, section 3.9 (a): stands behind section 3.10",
    ]);
  });
});

describe("the titles of a test file", () => {
  it("are read as they stand in it, with those of the blocks around", () => {
    const source = `
      const é = /x/.test("no test of ours") && "ü";
      it("plain", async () => {});
      describe.each([["a"], ["b"]])("on %s", (name: string) => {
        test.each<[number]>([[1]])("the %i" + "st", (_) => { expect(name).toBe("x"); });
        describe("inner", () => { it.skipIf(true)(\`of \${1 + 1} é\`, () => {}); });
      });
      it.each\`a\`("from a table", () => {});
      unit("is no test", () => {});`;
    expect(testTitles(source)).toEqual([
      ["plain"],
      ["on %s", "the %ist"],
      ["on %s", "inner", "of $" + "{1 + 1} é"],
      ["from a table"],
    ]);
  });
});
