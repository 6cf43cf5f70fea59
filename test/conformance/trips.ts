// Sends flows on their routes through the router, packet by packet in order, and notes when.
import { eventually } from "../lab/eventually.ts";
import { packetOctets } from "../lab/packet.ts";
import type { FlowValues } from "./flow-values.ts";
import { expectedValues, type Observed, type SentFlow } from "./sent-flows.ts";

/** A way into the router, and where packets that take it are observed. */
export interface Route {
  send(packets: Uint8Array[]): Promise<void>;
  observed: Observed[];
}

export interface Trip {
  flow: SentFlow;
  route: Route;
}

/** Unix milliseconds between which something happened. */
export interface TimeWindow {
  from: number;
  to: number;
}

/** A record that there must be. */
export interface WantedRecord {
  name: string;
  values: FlowValues;
  start: TimeWindow;
  end: TimeWindow;
}

/**
 * The meter's clock is that of the last timer tick, at most 10 ms ago; and the wall clock may be
 * slewed between the sending and the export.
 */
const CLOCK_TOLERANCE_MS = 20;

/** Sends part of the packets, waits until the meter has counted them, and says when that was. */
class Stages {
  readonly #counted: () => bigint;
  #packets: bigint;

  constructor(counted: () => bigint) {
    this.#counted = counted;
    this.#packets = counted();
  }

  async run(parts: { route: Route; packets: Uint8Array[] }[]): Promise<TimeWindow> {
    const from = Date.now() - CLOCK_TOLERANCE_MS;
    for (const { route, packets } of parts) {
      if (packets.length === 0) continue;
      await route.send(packets);
      this.#packets += BigInt(packets.length * route.observed.length);
    }
    await eventually(
      `${this.#packets} packets counted`,
      () => {
        const counted = this.#counted();
        if (counted > this.#packets) throw new Error(`${counted} packets, not ${this.#packets}`);
        return counted === this.#packets;
      },
      { timeout: 10_000 },
    ).catch((error: Error) => {
      throw new Error(`${error.message}, but only ${this.#counted()}`);
    });
    return { from, to: Date.now() + CLOCK_TOLERANCE_MS };
  }
}

/**
 * Sends all packets of all trips: first the first packets of flows with several, then the flows of
 * one packet, then the further packets place by place, so that no two packets of a flow are on
 * their way together. `counted`: DEX packets that the meter has seen, at all hooks.
 */
export async function sendTrips(trips: Trip[], counted: () => bigint): Promise<WantedRecord[]> {
  const stages = new Stages(counted);
  const starts = new Map<Trip, TimeWindow>();
  const ends = new Map<Trip, TimeWindow>();
  const stage = async (some: Trip[], place: number): Promise<void> => {
    const routes = [...new Set(some.map(({ route }) => route))];
    const window = await stages.run(
      routes.map((route) => ({
        route,
        packets: some
          .filter((trip) => trip.route === route)
          .map(({ flow }) => packetOctets(flow.packets[place])),
      })),
    );
    for (const trip of some) {
      if (place === 0) starts.set(trip, window);
      if (place === trip.flow.packets.length - 1) ends.set(trip, window);
    }
  };
  const long = trips.filter(({ flow }) => flow.packets.length > 1);
  await stage(long, 0);
  await stage(
    trips.filter((trip) => !long.includes(trip)),
    0,
  );
  const longest = Math.max(...trips.map(({ flow }) => flow.packets.length));
  for (let place = 1; place < longest; place++) {
    await stage(
      long.filter(({ flow }) => flow.packets.length > place),
      place,
    );
  }
  return trips.flatMap((trip) =>
    trip.route.observed.map((observed) => ({
      name: `${trip.flow.name}, ${observed.direction} of ${observed.interfaceName}`,
      values: expectedValues(trip.flow, observed),
      start: starts.get(trip)!,
      end: ends.get(trip)!,
    })),
  );
}

/** What tells records apart. */
function recordKey(values: FlowValues): string {
  const source = values.sourceIPv6Address ?? values.sourceIPv4Address;
  return `${values.flowDirection === 1n ? "egress" : "ingress"} ${source}`;
}

/**
 * Each way in which the records differ from those that there must be: none is right. `elements`:
 * what the collector keeps at all; every element unless told.
 */
export function differences(
  records: FlowValues[],
  wanted: WantedRecord[],
  elements?: readonly string[],
): string[] {
  const found = new Map<string, FlowValues[]>();
  for (const record of records) {
    const key = recordKey(record);
    found.set(key, [...(found.get(key) ?? []), record]);
  }
  const known = new Set(wanted.map(({ values }) => recordKey(values)));
  if (known.size !== wanted.length) throw new Error("two of the records wanted have one key");
  const more = [...found.keys()].filter((key) => !known.has(key));
  return [
    ...more.map((key) => `nobody sent ${key}`),
    ...wanted.flatMap((one) => {
      const own = found.get(recordKey(one.values)) ?? [];
      if (own.length !== 1) return [`${one.name}: ${own.length} records, not one`];
      return [...recordDifferences(own[0], one, elements)].map((text) => `${one.name}: ${text}`);
    }),
  ];
}

function* recordDifferences(
  record: FlowValues,
  { values, start, end }: WantedRecord,
  elements: readonly string[] = [...Object.keys(values), ...Object.keys(TIMES)],
): Generator<string> {
  for (const name of new Set([...Object.keys(record), ...elements])) {
    if (name in TIMES) {
      const time = record[name];
      const { from, to } = TIMES[name as keyof typeof TIMES] === "start" ? start : end;
      if (Number(time) >= from && Number(time) <= to) continue;
      yield `${name} is ${time ?? "missing"}, not from ${from} to ${to}`;
    } else if (record[name] !== values[name]) {
      yield `${name} is ${record[name] ?? "missing"}, not ${values[name] ?? "to be there"}`;
    }
  }
}

const TIMES = { flowStartMilliseconds: "start", flowEndMilliseconds: "end" } as const;
