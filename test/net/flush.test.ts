// Flush while packets pass: what it takes and what stays add up, and sequence state goes on.
import { describe, expect, test } from "vitest";
import type { Flow, FlowFilter, Meter } from "../../src/meter/index.ts";
import { type DexPacketOptions, dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { flowFields } from "../lab/frame.ts";
import { type Generator, generator } from "../lab/generator.ts";
import { packetOctets } from "../lab/packet.ts";
import type { Anomaly } from "../lab/plan.ts";
import { type Sink, sink } from "../lab/sink.ts";
import { station } from "../lab/station.ts";
import { expectConservation } from "./conservation.ts";
import { meteredRouter } from "./metered-router.ts";

const FLOWS = 1000;

/** Sends round after round until told to stop. */
class EndlessTraffic {
  readonly #gen: Generator;
  readonly #sending: Promise<void>;
  #stopping = false;

  constructor(gen: Generator) {
    this.#gen = gen;
    this.#sending = this.#send();
    this.#sending.catch(() => undefined); // stop() reports it
  }

  async #send(): Promise<void> {
    // Each flow always by the same CPU, so that its packets stay in order.
    while (!this.#stopping) {
      await this.#gen.send({ packets: 10 * FLOWS, cpus: [0, 1], rate: 150_000 });
    }
  }

  /** Waits until every flow made packets anew. */
  async goesOn(): Promise<void> {
    const last = [FLOWS / 2 - 1, FLOWS - 1];
    const start = last.map((flow) => this.#gen.position(flow));
    await eventually("traffic goes on", () =>
      last.every((flow, cpu) => this.#gen.position(flow) > start[cpu]! + 2),
    );
  }

  /** Ends it; resolves to the packets sent, which all have arrived. */
  async stop(far: Sink): Promise<number> {
    this.#stopping = true;
    await this.#sending;
    await far.arrived(this.#gen.packets);
    return this.#gen.packets;
  }
}

/**
 * Flows that differ from the traffic in what a filter looks at; each sends 7 packets. The last 32
 * bits of their source are of no flow of the traffic, as the sink looks at them.
 */
const OTHERS: Record<string, DexPacketOptions> = {
  namespace: { namespace: 456 },
  flowId: { flowId: 0x700000 },
  source: { source: "fd00:1:ffff::f000:1" },
  destination: { destination: "fd00:2:ffff::1" },
  tcp: { upper: [{ kind: "tcp", sourcePort: 443, destinationPort: 444 }] },
};
const OTHER_PACKETS = 7;

function otherFrames(): Uint8Array[] {
  return Object.values(OTHERS).flatMap((own) =>
    Array.from({ length: OTHER_PACKETS }, (_, sequence) =>
      packetOctets(
        dexPacket({ source: "fd00:1:eeee::f000:1", flowId: 0x600000, ...own, sequence }),
      ),
    ),
  );
}

/** Which of OTHERS a flow is; undefined: one of the traffic's. */
function otherOf(flow: Flow): string | undefined {
  if (flow.ioamNamespaceId === 456) return "namespace";
  if (flow.protocolIdentifier === 6) return "tcp";
  if (flow.ioamFlowId === 0x700000) return "flowId";
  if (flow.sourceIPv6Address === "fd00:1:ffff::f000:1") return "source";
  if (flow.destinationIPv6Address === "fd00:2:ffff::1") return "destination";
  return undefined;
}

function points(flow: Flow): string {
  return `${flow.interfaceName} ${otherOf(flow)}`;
}

interface Case {
  name: string;
  filter: FlowFilter;
  /** Which of OTHERS it matches, by interface and name. */
  others: (point: string) => boolean;
  /** Which flows of the traffic it matches. */
  traffic: (flow: number) => boolean;
}

const none = (): boolean => false;
const all = (): boolean => true;

/** Flow f of the traffic: fd00:1:: + f, flow id 0xabcdef + f, port 40000 + f. */
const PARTIAL: Case[] = [
  {
    name: "namespace",
    filter: { namespace: 456 },
    others: (p) => p.endsWith("namespace"),
    traffic: none,
  },
  { name: "protocol", filter: { protocol: 6 }, others: (p) => p.endsWith("tcp"), traffic: none },
  {
    name: "destination",
    filter: { destination: "fd00:2:ffff::1" },
    others: (p) => p.endsWith("destination"),
    traffic: none,
  },
  {
    name: "destination prefix of nobody",
    filter: { destination: "2001:db8::/32" },
    others: none,
    traffic: none,
  },
  {
    name: "destination port",
    filter: { destinationPort: 444 },
    others: (p) => p.endsWith("tcp"),
    traffic: none,
  },
  {
    name: "source",
    filter: { source: "fd00:1:ffff::/48" },
    others: (p) => p.endsWith("source"),
    traffic: none,
  },
  { name: "flow id", filter: { flowId: 0xabcdef + 7 }, others: none, traffic: (f) => f === 7 },
  {
    name: "source prefix of 64 flows",
    filter: { source: "fd00:1::40/122" },
    others: none,
    traffic: (f) => f >= 64 && f < 128,
  },
  { name: "source port", filter: { sourcePort: 40200 }, others: none, traffic: (f) => f === 200 },
  {
    name: "all of them at once, on one interface",
    filter: {
      interfaceName: "in0",
      namespace: 123,
      flowId: 0xabcdef + 300,
      source: "fd00:1::/64",
      destination: "fd00:2::1",
      protocol: 17,
      sourcePort: 40300,
      destinationPort: 53000,
    },
    others: none,
    traffic: (f) => f === 300,
  },
];

const WHOLE: Case[] = [
  {
    name: "namespace",
    filter: { namespace: 123 },
    others: (p) => !p.endsWith("namespace"),
    traffic: all,
  },
  { name: "protocol", filter: { protocol: 17 }, others: (p) => !p.endsWith("tcp"), traffic: all },
  {
    name: "destination",
    filter: { destination: "fd00:2::1" },
    others: (p) => !p.endsWith("destination"),
    traffic: all,
  },
  {
    name: "destination port",
    filter: { destinationPort: 53000 },
    others: (p) => !p.endsWith("tcp"),
    traffic: all,
  },
  {
    name: "interface",
    filter: { interfaceName: "out0" },
    others: (p) => p.startsWith("out0"),
    traffic: all,
  },
  { name: "everything", filter: {}, others: all, traffic: all },
];

function expectOthers(meter: Meter, wanted: Map<string, bigint>): void {
  const found = new Map<string, bigint>();
  for (const flow of meter.dump()) {
    if (otherOf(flow) === undefined) continue;
    found.set(points(flow), flow.packetDeltaCount);
    expect(flow.ioamLostPacketCount).toBe(0n);
  }
  expect(found).toEqual(wanted);
}

describe.each([
  ["some flows", PARTIAL],
  ["all flows of the traffic", WHOLE],
])("filters that match %s", (_, cases) => {
  test("flushed and table add up; no other flow's count changes", async () => {
    await using metered = await meteredRouter({
      maxFlows: 60_000,
      at: [
        ["in0", "ingress"],
        ["out0", "egress"],
      ],
    });
    const { lab, meter } = metered;
    await using sender = station(lab.source);
    using gen = generator(lab.source, "src0", { flows: FLOWS });
    using far = sink(lab.sink, "snk0", gen);
    const others = Object.keys(OTHERS).flatMap((name) => [`in0 ${name}`, `out0 ${name}`]);
    const frames = otherFrames();
    await sender.send("src0", ...frames);
    await eventually("the other flows are in the table", () => meter.flows() === others.length);
    await eventually(
      "and counted",
      () => Number(meter.counters().dexPackets) === 2 * frames.length,
    );
    const wanted = new Map(others.map((point) => [point, BigInt(OTHER_PACKETS)]));
    expectOthers(meter, wanted);

    const touched = new Set<number>();
    let flushedTraffic = 0;
    const traffic = new EndlessTraffic(gen);
    try {
      for (const { name, filter, others: matched, traffic: matches } of cases) {
        await traffic.goesOn();
        const flushed = await meter.flush(filter);
        const gone = [...wanted.keys()].filter(matched);
        const own = gone.reduce((sum, point) => sum + Number(wanted.get(point)), 0);
        for (const point of gone) wanted.delete(point);
        expectOthers(meter, wanted);
        const flows = Array.from({ length: FLOWS }, (_, flow) => flow).filter(matches);
        for (const flow of flows) touched.add(flow);
        const places = filter.interfaceName === undefined ? 2 : 1;
        expect(flushed.flows, name).toBe(gone.length + places * flows.length);
        if (flows.length === 0) expect(Number(flushed.packets), name).toBe(own);
        else expect(Number(flushed.packets), name).toBeGreaterThan(own);
        flushedTraffic += Number(flushed.packets) - own;
      }
      await traffic.goesOn();
    } finally {
      await traffic.stop(far);
    }

    const sent = gen.packets;
    await eventually(
      "the last packets are counted at out0",
      () => Number(meter.counters().dexPackets) === 2 * (sent + frames.length),
    );
    let table = 0;
    const byId = new Map<string, Flow>();
    for (const flow of meter.dump()) {
      if (otherOf(flow) !== undefined) continue;
      table += Number(flow.packetDeltaCount);
      byId.set(`${flow.interfaceName} ${flow.ioamFlowId}`, flow);
      // Every flow went on: no loss, nothing out of order because of a flush.
      expect(flow).toMatchObject({
        ioamLostPacketCount: 0n,
        ioamExpectedPacketCount: flow.packetDeltaCount,
        ioamReorderedPacketCount: 0n,
        ioamDuplicatePacketCount: 0n,
      });
    }
    expect(flushedTraffic + table).toBe(2 * sent);
    expect(byId.size).toBe(2 * FLOWS);
    for (let flow = 0; flow < FLOWS; flow++) {
      if (touched.has(flow)) continue;
      const { flowId } = flowFields(gen.frame, flow);
      const arrived = far.flow(flow);
      for (const device of ["in0", "out0"]) {
        expect(byId.get(`${device} ${flowId}`)).toMatchObject({
          packetDeltaCount: BigInt(arrived.packets),
          octetDeltaCount: BigInt(arrived.octets),
        });
      }
    }
    expectConservation(meter, 2 * (sent + frames.length));
  });
});

test("a flush of everything frees the table, however much traffic there is", async () => {
  // Room for the flows once, not twice.
  await using metered = await meteredRouter({ maxFlows: 1500 });
  const { lab, meter } = metered;
  using gen = generator(lab.source, "src0", { flows: FLOWS });
  using far = sink(lab.sink, "snk0", gen);
  const traffic = new EndlessTraffic(gen);
  let flushed = 0;
  let sent = 0;
  try {
    for (let i = 0; i < 10; i++) {
      await traffic.goesOn();
      const { flows, packets } = await meter.flush();
      expect(flows).toBe(FLOWS);
      flushed += Number(packets);
    }
  } finally {
    sent = await traffic.stop(far);
  }
  expect(meter.counters()).toMatchObject({ tableFull: 0n, flushedPackets: BigInt(flushed) });
  expectConservation(meter, sent);
  flushed += Number((await meter.flush()).packets);
  expect(flushed).toBe(sent);
  expect(meter.dump()).toEqual([]);
  expect(meter.flows()).toBe(0);
  expect(meter.used()).toBe(0);
  expectConservation(meter, sent);
});

test("a filter that leaves nothing frees the table too", async () => {
  await using metered = await meteredRouter({ maxFlows: 1500 });
  const { lab, meter } = metered;
  using gen = generator(lab.source, "src0", { flows: FLOWS });
  using far = sink(lab.sink, "snk0", gen);
  for (let i = 1; i <= 3; i++) {
    await gen.send({ packets: 2 * FLOWS, cpus: [0] });
    await far.arrived(2 * FLOWS * i);
    expect(await meter.flush({ namespace: 123 })).toEqual({
      flows: FLOWS,
      packets: 2n * BigInt(FLOWS),
      octets: BigInt(far.octets / i),
    });
    expect(meter.used()).toBe(0);
  }
  expect(meter.counters().tableFull).toBe(0n);
});

test.each<[string, FlowFilter]>([
  ["closed in the running generation", { source: "fd00:1::/64" }],
  ["a new generation", {}],
])("losses, late packets and duplicates across a flush: %s", async (_, filter) => {
  const half = 50;
  // One packet late, one a duplicate, one lost, on either side of packet 50 or across it.
  const plan = Array.from({ length: FLOWS }, (_, flow): Anomaly[] => {
    const at = 40 + (flow % 12);
    return [
      { kind: "lost", flow, sequence: at },
      { kind: "late", flow, sequence: at + 1, by: 1 + (flow % 20) },
      { kind: "duplicate", flow, sequence: at + 2, after: flow % 25 },
    ];
  }).flat();
  await using metered = await meteredRouter({ maxFlows: 4096 });
  const { lab, meter } = metered;
  // A flow that stays, so that the table is never empty and the generation goes on.
  await using sender = station(lab.source);
  await sender.send("src0", packetOctets(dexPacket({ source: "fd00:1:eeee::f000:1", flowId: 1 })));
  using gen = generator(lab.source, "src0", { flows: FLOWS, plan });
  using far = sink(lab.sink, "snk0", gen);
  await gen.send({ packets: half * FLOWS, cpus: [0, 1] });
  await far.arrived(half * FLOWS);
  expect((await meter.flush(filter)).packets).toBe(BigInt(half * FLOWS + (filter.source ? 0 : 1)));
  await gen.send({ packets: half * FLOWS, cpus: [1, 0] });
  await far.arrived(2 * half * FLOWS);

  const flows = meter.dump().filter((flow) => flow.ioamFlowId !== 1);
  expect(flows).toHaveLength(FLOWS);
  for (const flow of flows) {
    const number = flow.ioamFlowId! - gen.frame.flowIdBase;
    const before = gen.facts(number, 0, half);
    const whole = gen.facts(number);
    expect(flow, `flow ${number}`).toMatchObject({
      packetDeltaCount: BigInt(half),
      ioamExpectedPacketCount: BigInt(whole.expected - before.expected),
      ioamLostPacketCount: BigInt(whole.lost - before.lost),
      ioamReorderedPacketCount: BigInt(whole.reordered - before.reordered),
      ioamDuplicatePacketCount: BigInt(whole.duplicates - before.duplicates),
    });
  }
});

test("flows that come by a second CPU just while they are flushed", async () => {
  const packets = 300_000;
  await using metered = await meteredRouter({ maxFlows: 250_000 });
  const { lab, meter } = metered;
  using gen = generator(lab.source, "src0", { flows: 20_000 });
  using far = sink(lab.sink, "snk0", gen);
  let flushed = 0;
  let ended = false;
  const sending = gen.send({ packets, cpus: [0, 1], spray: true, order: "random" }).finally(() => {
    ended = true;
  });
  while (!ended) flushed += Number((await meter.flush({ namespace: 123 })).packets);
  await sending;
  await far.arrived(packets);
  const table = meter.dump().reduce((sum, flow) => sum + Number(flow.packetDeltaCount), 0);
  expect(flushed + table).toBe(packets);
  expectConservation(meter, packets);
});
