// Renders docs/benchmarks.md from the results.

import type { Result } from "./result.ts";
import { digits, type Figure, type Figures, type Part, type Report, type Suite } from "./suite.ts";

const HEAD = `<!-- Written by \`make bench\` from bench/results; do not edit. -->
# Benchmarks

\`make bench\` measures everything below and writes this page; \`make bench ONLY=meter\` (or \`export\`, \`forward\`, \`events\`) one part of it. The figures are in \`bench/results\` as JSON. A figure is the median of several measurements (but \`export.still\` the highest), its spread half the distance of the quartiles. The benchmarks run at the highest priority, in network namespaces of their own or on loopback.

Times depend on the machine, above all on its memory; **ratios to the control, measured in the same minute, travel better**. Where an aim is missed, the page says by how much and why.
`;

/** The page for the suites that have a report. */
export function renderPage(suites: { suite: Suite; report: Report }[]): string {
  const all = new Map<string, Result>();
  for (const { report } of suites) for (const one of report.results) all.set(one.name, one);
  const figures: Figures = (name) => all.get(name)?.value ?? Number.NaN;
  return [HEAD, ...suites.map(({ suite, report }) => section(suite, report, all, figures))].join(
    "\n",
  );
}

function section(
  suite: Suite,
  { machine: m, date, results }: Report,
  all: Map<string, Result>,
  figures: Figures,
): string {
  const parts = suite.parts ?? [];
  const known = [suite, ...parts]
    .flatMap((part) => part.figures)
    .filter(({ name }) => all.has(name));
  const undescribed = results.filter(({ name }) => !known.some((figure) => mentions(figure, name)));
  const missed = known.filter((figure) => excess(figure, figures) > 0).map(({ name }) => name);
  const reasons = suite.reasons
    .map(({ names, text }) => ({ names: names.filter((name) => missed.includes(name)), text }))
    .filter(({ names }) => names.length > 0)
    .map(
      ({ names, text }) => `- ${names.map((name) => `\`${name}\``).join(", ")}: ${text(figures)}`,
    );
  const machine = `${m.cpu}, ${m.cores} CPUs${m.virtual ? " (virtual)" : ""}, ${m.memoryGiB} GiB; Linux ${m.kernel}, Node.js ${m.node}, clang ${m.clang}${m.go === undefined ? "" : `, Go ${m.go}`}; load average before ${digits(m.loadAverage)}`;
  return [
    `## ${suite.title}\n`,
    `${suite.intro}\n`,
    `\`make bench ONLY=${suite.name}\`, ${date.slice(0, 10)}. ${machine}.\n`,
    tableOf(suite, all, figures),
    ...parts.map((part) => `### ${part.title}\n\n${part.intro}\n\n${tableOf(part, all, figures)}`),
    ...(undescribed.length > 0 ? [`${undescribed.map(plain).join("; ")}.\n`] : []),
    ...(reasons.length > 0 ? ["Why an aim is missed:\n", `${reasons.join("\n")}\n`] : []),
  ].join("\n");
}

function tableOf(part: Part, all: Map<string, Result>, figures: Figures): string {
  const known = part.figures.filter(({ name }) => all.has(name));
  return table(
    known.map((figure) => row(figure, all, figures)),
    known.some(({ control }) => control !== undefined),
  );
}

function mentions(figure: Figure, name: string): boolean {
  return figure.name === name || figure.control === name;
}

interface Row {
  cells: string[];
  control: string[];
}

function row(figure: Figure, all: Map<string, Result>, figures: Figures): Row {
  const { value, unit, spread } = all.get(figure.name)!;
  const aim = aimOf(figure, figures);
  const over = excess(figure, figures);
  const verdict =
    aim === undefined
      ? ""
      : over > 0
        ? `missed by ${digits(over)} (${Math.round((100 * over) / aim)} %)`
        : "met";
  const control = figure.control === undefined ? undefined : all.get(figure.control);
  return {
    cells: [
      `\`${figure.name}\``,
      figure.meaning,
      `**${digits(value)}** ± ${digits(spread)} ${unit}`,
      aim === undefined ? "" : `${figure.atLeast === undefined ? "≤" : "≥"} ${digits(aim)}`,
      verdict,
    ],
    control:
      control === undefined
        ? ["", ""]
        : [
            `${digits(control.value)} ± ${digits(control.spread)}`,
            (value / control.value).toFixed(2),
          ],
  };
}

function aimOf({ aim, atLeast }: Figure, figures: Figures): number | undefined {
  const value = typeof aim === "function" ? aim(figures) : (aim ?? atLeast);
  return value === undefined || Number.isNaN(value) ? undefined : value;
}

/** By how much the aim is missed; 0: it is not, or there is none. */
function excess(figure: Figure, figures: Figures): number {
  const aim = aimOf(figure, figures);
  if (aim === undefined) return 0;
  const over = figures(figure.name) - aim;
  return Math.max(0, figure.atLeast === undefined ? over : -over);
}

function table(rows: Row[], withControl: boolean): string {
  const head = ["name", "what", "figure", "aim", ""];
  const right = withControl ? ["control", "ratio"] : [];
  const lines = [
    [...head, ...right],
    [...head, ...right].map(() => "---"),
    ...rows.map(({ cells, control }) => [...cells, ...(withControl ? control : [])]),
  ];
  return `${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}

function plain({ name, value, unit, spread }: Result): string {
  return `\`${name}\` ${digits(value)} ± ${digits(spread)} ${unit}`;
}
