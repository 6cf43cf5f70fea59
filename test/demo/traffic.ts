// Sends the demo's flows through the router and looks at what arrives behind it.
import { hex, macOctets } from "../lab/octets.ts";
import { MAC, type RouterLab } from "../lab/router.ts";
import { station } from "../lab/station.ts";
import type { SentFlow } from "./flows.ts";

const DESTINATION_OFFSET = 0;
const SOURCE_OFFSET = 6;
const HOP_LIMIT_OFFSET = 14 + 7;

export interface Passage {
  sent: number;
  /** Arrived at the sink as a router ought to forward them. */
  arrived: number;
}

/**
 * A packet of each flow at a time, the next when those have arrived: what is in order here cannot
 * get out of order on the way, whichever CPUs forward it.
 */
export async function sendThrough(lab: RouterLab, flows: readonly SentFlow[]): Promise<Passage> {
  await using source = station(lab.source);
  await using sink = station(lab.sink);
  const capture = await sink.capture("snk0");
  const left = flows.map((flow) => flow.frames());
  const passage: Passage = { sent: 0, arrived: 0 };
  for (let position = 0; ; position++) {
    const round = left.flatMap((frames) => frames[position] ?? []);
    if (round.length === 0) return passage;
    await source.send("src0", ...round);
    const wanted = new Set(round.map((frame) => hex(forwarded(frame))));
    const got = await capture.take(round.length, { timeout: 2000 });
    passage.sent += round.length;
    passage.arrived += got.filter((frame) => wanted.delete(hex(frame))).length;
  }
}

/** What the sink ought to get of a frame: other Ethernet addresses and a hop less. */
function forwarded(frame: Uint8Array): Uint8Array {
  const octets = frame.slice();
  octets.set(macOctets(MAC.snk0), DESTINATION_OFFSET);
  octets.set(macOctets(MAC.out0), SOURCE_OFFSET);
  octets[HOP_LIMIT_OFFSET]!--;
  return octets;
}
