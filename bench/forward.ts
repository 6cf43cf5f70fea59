// What a hook costs a forwarded packet: source, router and sink on one CPU, as fast as it goes.

import { Meter } from "../src/meter/index.ts";
import {
  attachTc,
  attachTcx,
  detachTc,
  interfaceIndex,
  openNetns,
  removeQdisc,
  withNetns,
} from "../src/native/bpf-loader/index.ts";
import { generator } from "../test/lab/generator.ts";
import { router } from "../test/lab/router.ts";
import { sink } from "../test/lab/sink.ts";
import { BenchObject } from "./bench-object.ts";
import { MEASURED_CPU } from "./cpus.ts";
import { Measurements, type Result } from "./result.ts";

const PACKETS = 250_000;
const ROUNDS = 31;

/** What stands at in0's ingress; `attach` gives what takes it away again. */
interface Hook {
  name: "none" | "empty" | "meter";
  attach(): () => void;
}

/** Attaches an empty program the way the meter is attached: TCX, or clsact on older kernels. */
function attachEmpty({ object }: BenchObject, netns: string): () => void {
  const handle = openNetns(netns);
  const inside = <T>(action: () => T): T => withNetns(handle, action);
  const ifindex = inside(() => interfaceIndex("in0"));
  const program = object.program("empty");
  try {
    const link = inside(() => attachTcx(program, ifindex, "ingress"));
    return () => link.close();
  } catch (error) {
    if ((error as { code?: string }).code !== "TCX_UNSUPPORTED") throw error;
    const { handle: filter, priority } = inside(() => attachTc(program, ifindex, "ingress"));
    return () =>
      inside(() => {
        detachTc(ifindex, "ingress", filter, priority, program.id);
        removeQdisc(ifindex);
      });
  }
}

function attachMeter(meter: Meter): () => void {
  meter.attach("in0", "ingress");
  return () => void meter.detach("in0", "ingress");
}

/** Nanoseconds a packet, from its making to its arrival, for each hook in turn; round after round. */
async function* measure(
  flows: number,
  rounds: number,
): AsyncGenerator<Record<Hook["name"], number>> {
  await using lab = await router();
  using source = generator(lab.source, "src0", { flows, pattern: false });
  using far = sink(lab.sink, "snk0", source);
  const bench = new BenchObject("table", 1);
  const meter = Meter.openOrCreate({ netns: lab.router.name });
  const hooks: Hook[] = [
    { name: "none", attach: () => () => {} },
    { name: "empty", attach: () => attachEmpty(bench, lab.router.name) },
    { name: "meter", attach: () => attachMeter(meter) },
  ];
  try {
    // The first round warms up.
    for (let round = 0; round <= rounds; round++) {
      const ns = { none: 0, empty: 0, meter: 0 };
      for (const { name, attach } of hooks) {
        const detach = attach();
        const before = far.packets;
        const cpus = [MEASURED_CPU];
        const { seconds } = await source.send({ packets: PACKETS, cpus, order: "random" });
        await far.arrived(before + PACKETS);
        detach();
        ns[name] = (seconds * 1e9) / PACKETS;
      }
      if (round > 0) yield ns;
    }
    checkWork(meter, (rounds + 1) * PACKETS);
  } finally {
    meter.remove();
    meter.close();
    bench.close();
  }
}

/** The meter counted every packet that was forwarded while it was there. */
function checkWork(meter: Meter, packets: number): void {
  const { dexPackets, tableFull } = meter.counters();
  if (dexPackets !== BigInt(packets) || tableFull !== 0n) {
    throw new Error(`the meter counted ${dexPackets} packets of ${packets}`);
  }
}

export async function benchForward(): Promise<Result[]> {
  const m = new Measurements();
  for await (const ns of measure(10_000, ROUNDS)) {
    m.add("forward.none", "kpps", 1e6 / ns.none);
    m.add("forward.empty", "kpps", 1e6 / ns.empty);
    m.add("forward.meter", "kpps", 1e6 / ns.meter);
    m.add("forward.empty.cost", "ns/packet", ns.empty - ns.none);
    m.add("forward.meter.cost", "ns/packet", ns.meter - ns.empty);
  }
  for await (const ns of measure(1, ROUNDS)) {
    m.add("forward.meter.cost.1", "ns/packet", ns.meter - ns.empty);
  }
  return m.results();
}
