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

const FLOWS = 10_000;
const PACKETS = 500_000;
const ROUNDS = 15;

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

export async function benchForward(): Promise<Result[]> {
  await using lab = await router();
  using source = generator(lab.source, "src0", { flows: FLOWS, pattern: false });
  using far = sink(lab.sink, "snk0", source);
  const bench = new BenchObject("table", 1);
  const meter = Meter.openOrCreate({ netns: lab.router.name });
  const hooks: Hook[] = [
    { name: "none", attach: () => () => {} },
    { name: "empty", attach: () => attachEmpty(bench, lab.router.name) },
    { name: "meter", attach: () => attachMeter(meter) },
  ];
  /** Nanoseconds a packet, from its making to its arrival. */
  const measure = async ({ attach }: Hook): Promise<number> => {
    const detach = attach();
    const before = far.packets;
    const { seconds } = await source.send({
      packets: PACKETS,
      cpus: [MEASURED_CPU],
      order: "random",
    });
    await far.arrived(before + PACKETS);
    detach();
    return (seconds * 1e9) / PACKETS;
  };

  const m = new Measurements();
  try {
    for (const hook of hooks) await measure(hook);
    for (let round = 0; round < ROUNDS; round++) {
      const ns: number[] = [];
      for (const hook of hooks) {
        ns.push(await measure(hook));
        m.add(`forward.${hook.name}`, "kpps", 1e6 / ns.at(-1)!);
      }
      m.add("forward.empty.cost", "ns/packet", ns[1]! - ns[0]!);
      m.add("forward.meter.cost", "ns/packet", ns[2]! - ns[1]!);
    }
    checkWork(meter);
  } finally {
    meter.remove();
    meter.close();
    bench.close();
  }
  return m.results();
}

/** The meter counted every packet that was forwarded while it was there. */
function checkWork(meter: Meter): void {
  const { dexPackets, tableFull } = meter.counters();
  const expected = BigInt((ROUNDS + 1) * PACKETS);
  if (dexPackets !== expected || tableFull !== 0n) {
    throw new Error(`the meter counted ${dexPackets} packets of ${expected}`);
  }
}
