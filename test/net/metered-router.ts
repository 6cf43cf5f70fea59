// A router laboratory with the product's meter on it, both removed whatever happens.
import { type Direction, Meter } from "../../src/meter/index.ts";
import { type RouterLab, type RouterOptions, router } from "../lab/router.ts";

export interface MeteredRouterOptions extends RouterOptions {
  maxFlows?: number;
  namespaces?: number[];
  /** Namespace of the meter: the router's unless told. */
  where?: "source" | "router";
  /** Observation points: in0 at ingress unless told. */
  at?: [device: "in0" | "out0" | "src0", direction: Direction][];
  hook?: "auto" | "tc";
}

export class MeteredRouter {
  readonly lab: RouterLab;
  readonly meter: Meter;

  constructor(lab: RouterLab, meter: Meter) {
    this.lab = lab;
    this.meter = meter;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.meter.remove();
      this.meter.close();
    } finally {
      await this.lab.close();
    }
  }
}

/** Makes the laboratory, and a meter in it. */
export async function meteredRouter(o: MeteredRouterOptions = {}): Promise<MeteredRouter> {
  const lab = await router(o);
  try {
    const { maxFlows = 65_536, namespaces, at = [["in0", "ingress"]], hook = "auto" } = o;
    const netns = lab[o.where ?? "router"].name;
    const meter = Meter.openOrCreate({ netns, maxFlows, namespaces });
    const metered = new MeteredRouter(lab, meter);
    for (const [device, direction] of at) meter.attach(device, direction, { hook });
    return metered;
  } catch (error) {
    for (const { name } of [lab.source, lab.router]) Meter.open(name)?.remove();
    await lab.close();
    throw error;
  }
}
