// Rotates a meter's table while traffic runs, as an agent does, and adds up the intervals.
import type { Meter } from "../../src/meter/index.ts";
import { eventually } from "../lab/eventually.ts";
import type { Generator } from "../lab/generator.ts";
import type { FlowSums } from "./flow-sums.ts";

export interface Rotated {
  rotations: number;
  records: number;
}

/**
 * Rotates and drains into `sums` until `sending` has ended. An interval lasts until every flow of
 * `gen` (which sends them in turn) made a packet that surely has arrived: the meter forgets a flow
 * that is quiet for a whole interval. `last`: the last flow of each CPU's share.
 */
export async function rotateWhile(
  meter: Meter,
  gen: Generator,
  last: number[],
  sums: FlowSums,
  sending: Promise<unknown>,
): Promise<Rotated> {
  const rotated: Rotated = { rotations: 0, records: 0 };
  let ended = false;
  const end = sending.finally(() => {
    ended = true;
  });
  // Reported below; until then it is nobody's unhandled rejection.
  end.catch(() => undefined);
  for (;;) {
    const start = last.map((flow) => gen.position(flow));
    await eventually(
      "every flow goes on, or traffic ends",
      () => ended || last.every((flow, i) => gen.position(flow) >= start[i]! + 3),
      { every: 1 },
    );
    if (ended) break;
    rotated.records += sums.drain(meter, await meter.rotate());
    rotated.rotations++;
  }
  await end;
  return rotated;
}
