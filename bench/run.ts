// `make bench`: measures the suites, or the one named, writes bench/results and docs/benchmarks.md.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { eventsSuite } from "./events-suite.ts";
import { exportSuite } from "./export-suite.ts";
import { forwardSuite } from "./forward-suite.ts";
import { describeMachine } from "./machine.ts";
import { meterSuite } from "./meter-suite.ts";
import { renderPage } from "./page.ts";
import { raisePriority } from "./priority.ts";
import { digits, type Report, type Suite } from "./suite.ts";

const SUITES = [meterSuite, exportSuite, forwardSuite, eventsSuite];
const PAGE = fileURLToPath(new URL("../docs/benchmarks.md", import.meta.url));
const RESULTS = fileURLToPath(new URL("results/", import.meta.url));

const resultsOf = ({ name }: Suite): string => `${RESULTS}${name}.json`;

async function measure(suite: Suite): Promise<void> {
  const machine = describeMachine();
  raisePriority();
  const report: Report = { machine, date: new Date().toISOString(), results: await suite.run() };
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(resultsOf(suite), `${JSON.stringify(report, null, 2)}\n`);
  for (const { name, value, unit, spread } of report.results) {
    console.log(`${name.padEnd(34)}${digits(value).padStart(8)} ± ${digits(spread)} ${unit}`);
  }
}

/** Each suite in a process of its own: what one leaves in the engine would slow the next. */
function measureAll(): void {
  for (const { name } of SUITES) {
    const script = fileURLToPath(import.meta.url);
    const { status } = spawnSync(process.execPath, [...process.execArgv, script, name], {
      stdio: "inherit",
    });
    if (status !== 0) throw new Error(`the suite ${name} failed`);
  }
}

function writePage(): void {
  const measured = SUITES.filter((suite) => existsSync(resultsOf(suite))).map((suite) => ({
    suite,
    report: JSON.parse(readFileSync(resultsOf(suite), "utf8")) as Report,
  }));
  writeFileSync(PAGE, renderPage(measured));
}

const only = process.argv[2];
if (only === undefined) {
  measureAll();
  console.log(`written: bench/results, docs/benchmarks.md`);
} else {
  const suite = SUITES.find(({ name }) => name === only);
  if (suite === undefined) {
    const names = SUITES.map(({ name }) => name).join(", ");
    console.error(`make bench: there is no suite ${only}: ${names}`);
    process.exit(2);
  }
  await measure(suite);
  writePage();
}
