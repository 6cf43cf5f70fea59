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

/** The median of the values, with its spread. */
export function summary(name: string, unit: string, values: number[]): Result {
  const sorted = [...values].sort((a, b) => a - b);
  const round = (value: number): number => Math.round(value * 100) / 100;
  return {
    name,
    value: round(quantile(sorted, 0.5)),
    unit,
    spread: round((quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2),
  };
}
