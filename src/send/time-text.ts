// Times as people write them in a file of records.
import { parseDuration } from "../agent/config/quantity.ts";

/** What `parseTime` takes, for messages. */
export const TIME_FORMS =
  "give a time such as 2026-07-22T12:00:00.5Z, now, now-10s, or a whole number since 1970";

const NANOSECONDS_PER_MILLISECOND = 1_000_000n;
const ISO = /^(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|z|[+-]\d\d:\d\d)$/;
const RELATIVE = /^now(?:\s*([+-])\s*(\S.*))?$/;

/** Nanoseconds since 1970, where `now` is that; undefined for anything else. */
export function parseTime(text: string, now: bigint): bigint | undefined {
  const relative = RELATIVE.exec(text.trim());
  if (relative !== null) {
    const [, sign, duration] = relative;
    if (duration === undefined) return now;
    const milliseconds = parseDuration(duration);
    if (milliseconds === undefined) return undefined;
    const away = BigInt(milliseconds) * NANOSECONDS_PER_MILLISECOND;
    return sign === "-" ? now - away : now + away;
  }
  const absolute = ISO.exec(text.trim());
  if (absolute === null) return undefined;
  const [, seconds, fraction = "", zone] = absolute;
  const local = seconds!.replace(/[t ]/, "T");
  const milliseconds = Date.parse(`${local}${zone!.toUpperCase()}`);
  if (Number.isNaN(milliseconds) || !isDay(local.slice(0, 10))) return undefined;
  return BigInt(milliseconds) * NANOSECONDS_PER_MILLISECOND + BigInt(fraction.padEnd(9, "0"));
}

/** Whether there is such a day: Date.parse takes 30 February for 2 March. */
function isDay(text: string): boolean {
  return new Date(`${text}T00:00:00Z`).toISOString().startsWith(text);
}

/** Whether a time is another each time that it is asked for. */
export function isRelative(text: string): boolean {
  return RELATIVE.test(text.trim());
}
