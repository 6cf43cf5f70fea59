// Durations, rates and sizes as people write them.

const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** "10s", "500ms", "1.5h", "2m" in milliseconds; undefined for anything else, also without a unit. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)$/.exec(text.trim());
  if (match === null) return undefined;
  return exactWhole(Number(match[1]) * MILLISECONDS[match[2]!]!);
}

const FACTORS: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, G: 1e9 };

/**
 * "100Mbit/s", "1.5 Gbps", "64kbit", "12MB/s" in bits a second (decimal prefixes, B is 8 bits);
 * undefined for anything else, also for less than one.
 */
export function parseBitRate(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kKMG]?)(bit\/s|bits\/s|bit|bps|B\/s)$/.exec(text.trim());
  if (match === null) return undefined;
  const factor = FACTORS[match[2]!.replace("K", "k")]!;
  const rate = exactWhole(Number(match[1]) * factor * (match[3] === "B/s" ? 8 : 1));
  return rate === 0 ? undefined : rate;
}

const PER_SECOND: Readonly<Record<string, number>> = { s: 1, min: 1 / 60, h: 1 / 3600 };

/** "100/s", "1.5/min", "1/h" a second; undefined for anything else, also for 0. */
export function parseRate(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*\/\s*(s|min|h)$/.exec(text.trim());
  if (match === null) return undefined;
  const rate = Number(match[1]) * PER_SECOND[match[2]!]!;
  return rate > 0 && Number.isFinite(rate) ? rate : undefined;
}

const SIZES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** "100MB", "1.5 GiB", "65536 B" in octets; undefined for anything else, also without a unit. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kKMGT]?i?B)$/.exec(text.trim());
  if (match === null) return undefined;
  const factor = SIZES[match[2]!.replace("KB", "kB").replace("kiB", "KiB")];
  return factor === undefined ? undefined : exactWhole(Number(match[1]) * factor);
}

/** Rounded; undefined beyond 2^53, where numbers are not exact and in the end infinite. */
function exactWhole(value: number): number | undefined {
  const rounded = Math.round(value);
  return Number.isSafeInteger(rounded) ? rounded : undefined;
}
