// Planted losses, late packets and duplicates: what a flow really sends, and what of it is odd.

/** One odd packet of a flow. Sequence numbers are those on the wire. */
export type Anomaly = { flow: number; sequence: number } & (
  | /** Never sent. */ { kind: "lost" }
  /** Sent right after the packet that is `by` (at least 1) numbers higher. */
  | { kind: "late"; by: number }
  /** Sent once more, right after the packet that is `after` numbers higher (0: at once). */
  | { kind: "duplicate"; after: number }
);

/** From `position` on, packet number p of the flow has number first + p + shift (modulo 2^32). */
export interface Step {
  position: number;
  shift: number;
}

/** Steps that the generator walks for one flow; more are refused. */
export const STEPS_MAX = 64;

/** What of a flow's packets a meter ought to find, with all of them taken as one interval. */
export interface SequenceFacts {
  packets: number;
  /** Undefined if nothing was sent. */
  lowest: number | undefined;
  highest: number | undefined;
  /** Numbers from lowest to highest. */
  expected: number;
  /** Expected less the different numbers sent. */
  lost: number;
  /** Sent after a higher number, for the first time. */
  reordered: number;
  duplicates: number;
  /** Sum of the numbers sent, modulo 2^64. */
  sum: bigint;
}

/** The steps of one flow whose first packet has number `first`. */
export function flowSteps(anomalies: Anomaly[], first: number): Step[] {
  const removed = new Set<number>();
  const inserted = new Map<number, number[]>(); // after which number what is sent
  const insert = (after: number, value: number) =>
    inserted.set(after, [...(inserted.get(after) ?? []), value]);
  for (const one of anomalies) {
    const offset = (one.sequence - first) >>> 0;
    if (one.kind !== "duplicate") removed.add(offset);
    if (one.kind === "late") insert(offset + one.by, offset);
    if (one.kind === "duplicate") insert(offset + one.after, offset);
  }
  const odd = [...new Set([...removed, ...inserted.keys()])].sort((a, b) => a - b);

  const shifts = new Map<number, number>();
  let position = 0;
  let next = 0; // the number, less the first, that is sent at `position`
  for (const offset of odd) {
    position += offset - next;
    if (!removed.has(offset)) position++;
    next = offset + 1;
    for (const value of inserted.get(offset) ?? []) {
      shifts.set(position, value - position);
      position++;
    }
    shifts.set(position, next - position);
  }
  const steps = [...shifts].map(([at, shift]) => ({ position: at, shift }));
  steps.sort((a, b) => a.position - b.position);
  if (steps.length > STEPS_MAX) {
    throw new Error(`flow ${anomalies[0]!.flow}: ${steps.length} steps, at most ${STEPS_MAX}`);
  }
  return steps;
}

/** The number of packet `position` of a flow, less the first number. */
export function offsetAt(steps: Step[], position: number): number {
  let shift = 0;
  for (const step of steps) {
    if (step.position > position) break;
    shift = step.shift;
  }
  return position + shift;
}

/** What packets `from` … `to` - 1 of a flow are like. */
export function sequenceFacts(
  steps: Step[],
  first: number,
  from: number,
  to: number,
): SequenceFacts {
  const seen = new Set<number>();
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  let duplicates = 0;
  let reordered = 0;
  let sum = 0n;
  for (let position = from; position < to; position++) {
    const offset = offsetAt(steps, position);
    sum += BigInt((first + offset) >>> 0);
    if (seen.has(offset)) duplicates++;
    else if (offset < highest) reordered++;
    seen.add(offset);
    lowest = Math.min(lowest, offset);
    highest = Math.max(highest, offset);
  }
  const expected = seen.size === 0 ? 0 : highest - lowest + 1;
  return {
    packets: to - from,
    lowest: seen.size === 0 ? undefined : (first + lowest) >>> 0,
    highest: seen.size === 0 ? undefined : (first + highest) >>> 0,
    expected,
    lost: expected - seen.size,
    reordered,
    duplicates,
    sum: BigInt.asUintN(64, sum),
  };
}
