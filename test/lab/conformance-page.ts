// docs/conformance.md as data, and what is wrong with it: tests that are not there, no reason, twice.
import type { TestTitle } from "./test-titles.ts";

/** A test as the page names it: a file of this repository, and titles from some describe block on. */
export interface NamedTest {
  file: string;
  titles: string[];
}

/** A line of one of the page's tables. */
export interface Requirement {
  /** The heading of its table, as "RFC 7011: the protocol". */
  document: string;
  section: string;
  word: string;
  text: string;
  met: string;
  tests: NamedTest[];
  /** What the last cell says beside the tests. */
  reason: string;
}

const WORDS = new Set(["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "RECOMMENDED", "format"]);
const MET = new Set(["yes", "in part", "no", "–"]);
const HEADER = ["§", "word", "requirement", "met", "shown by, or why not"];

/** The lines of all tables under the page's headings of documents. */
export function requirements(page: string): Requirement[] {
  let document = "";
  const found: Requirement[] = [];
  for (const line of page.split("\n")) {
    document = /^## (.*)$/.exec(line)?.[1] ?? document;
    const cells = line.startsWith("| ") ? line.split("|").slice(1, -1) : [];
    if (cells.length === 0) continue;
    const [section = "", word = "", text = "", met = "", last = "", ...more] = cells.map((cell) =>
      cell.trim(),
    );
    if (section === HEADER[0]) continue;
    const tests = [...last.matchAll(/`([^`]*\.test\.ts[^`]*)`/g)].map(([, name]) => {
      const [file = "", ...titles] = name!.split(" › ");
      return { file, titles };
    });
    const reason = [last.replace(/`[^`]*\.test\.ts[^`]*`/g, ""), ...more].join("|");
    found.push({ document, section, word, text, met, tests, reason: reason.trim() });
  }
  return found;
}

/** What is wrong with the lines, one text a fault; `titlesOf` gives the tests of a file, if it is there. */
export function faults(
  lines: readonly Requirement[],
  titlesOf: (file: string) => readonly TestTitle[] | undefined,
): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  let before: Requirement | undefined;
  for (const line of lines) {
    const where = `${line.document}, section ${line.section} (${line.text})`;
    const fault = (what: string): unknown => found.push(`${where}: ${what}`);
    const key = `${line.document} ${line.section} ${line.text.toLowerCase()}`;
    if (seen.has(key)) fault("is there twice");
    seen.add(key);
    if (before?.document === line.document && order(before.section, line.section) > 0) {
      fault(`stands behind section ${before.section}`);
    }
    before = line;
    if (!WORDS.has(line.word)) fault(`"${line.word}" is no key word`);
    if (!MET.has(line.met)) fault(`"${line.met}" does not say whether it is met`);
    const claims = line.met === "yes" || line.met === "in part";
    if (claims && line.tests.length === 0) fault("no test shows it");
    if (line.met !== "yes" && !/\w{2}/.test(line.reason)) fault("no reason is given");
    for (const test of line.tests) {
      const why = missing(test, titlesOf(test.file));
      if (why !== undefined) fault(why);
    }
  }
  return found;
}

function missing({ file, titles }: NamedTest, all: readonly TestTitle[] | undefined) {
  if (all === undefined) return `there is no file ${file}`;
  const name = titles.join(" › ");
  if (titles.length === 0) return `${file} is named without a test`;
  const matching = all.filter((title) => title.slice(-titles.length).join(" › ") === name);
  if (matching.length === 1) return undefined;
  return `${file} has ${matching.length === 0 ? "no test" : "several tests"} "${name}"`;
}

/** Sections by their numbers: 3.4.2 before 3.10. */
function order(a: string, b: string): number {
  const [left, right] = [a, b].map((section) => section.split(".").map(Number));
  for (let i = 0; i < Math.max(left!.length, right!.length); i++) {
    const difference = (left![i] ?? -1) - (right![i] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}
