// One figure of a benchmark, and how a series of measurements becomes one.

/** `spread`: half the distance of the quartiles, in the unit of the value. */
export interface Result {
  name: string;
  value: number;
  unit: string;
  spread: number;
}

function quantile(sorted: number[], q: number): number {
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  return sorted[low]! + (sorted[Math.ceil(at)]! - sorted[low]!) * (at - low);
}

const round = (value: number): number => Math.round(value * 100) / 100;

interface Series {
  unit: string;
  /** Which of the sorted measurements is the figure. */
  at: number;
  values: number[];
}

/** The measurements of a suite, by name, in the order in which the names first came. */
export class Measurements {
  readonly #series: Map<string, Series> = new Map();

  /** Adds one measurement of a figure that is the median of them. */
  add(name: string, unit: string, value: number): void {
    this.#add(name, unit, 0.5, value);
  }

  /** Adds one measurement of a figure that is the highest of them. */
  addPeak(name: string, unit: string, value: number): void {
    this.#add(name, unit, 1, value);
  }

  #add(name: string, unit: string, at: number, value: number): void {
    const series = this.#series.get(name);
    if (series === undefined) this.#series.set(name, { unit, at, values: [value] });
    else series.values.push(value);
  }

  /** The figures, with their spread. */
  results(): Result[] {
    return [...this.#series].map(([name, { unit, at, values }]) => {
      const sorted = values.toSorted((a, b) => a - b);
      return {
        name,
        value: round(quantile(sorted, at)),
        unit,
        spread: round((quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2),
      };
    });
  }
}
