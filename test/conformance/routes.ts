// The ways of the end-to-end tests' flows through the router, and where they are observed.
import { MAC, type RouterLab } from "../lab/router.ts";
import { station } from "../lab/station.ts";
import { addBridge } from "./bridge.ts";
import {
  type FlowPlan,
  type Observed,
  plannedFlow,
  type SentFlow,
  wireFlows,
} from "./sent-flows.ts";
import { severalPacketFlows, taggedFlows } from "./several-packets.ts";
import type { Route, Trip } from "./trips.ts";

/** What is the same for all records of a run. */
export type Common = Pick<Observed, "flowEndReason" | "nodeId">;

/** Numbers of flows, which are in their source addresses. */
const WIRE = 1;
const SEVERAL = 0x2000;
const TAGGED = 0x3000;
const BACK = 0x4000;
const OWN = 0x5000;

/** From the source to in0, observed there. */
export async function in0Route(lab: RouterLab, common: Common): Promise<Route> {
  const source = station(lab.source);
  const { arriving } = await observer(lab, common);
  return { send: (p) => source.send("src0", ...p), observed: [arriving("in0")] };
}

/** Every flow, at the interface by which it arrives: in0, or tun0 of the router. */
export async function ingressTrips(lab: RouterLab, common: Common): Promise<Trip[]> {
  const tun = station(lab.router);
  await tun.openTun("tun0");
  const { arriving } = await observer(lab, common);
  const byEthernet = await in0Route(lab, common);
  const byTun: Route = { send: (p) => tun.sendTun("tun0", ...p), observed: [arriving("tun0")] };
  return allFlows().map((flow) => ({ flow, route: isLayer3(flow) ? byTun : byEthernet }));
}

/** Every flow, at the interface by which it arrives and at the one by which it leaves. */
export async function forwardedTrips(lab: RouterLab, common: Common): Promise<Trip[]> {
  const source = station(lab.source);
  const sink = station(lab.sink);
  const own = station(lab.router);
  await own.openTun("tun0");
  await addBridge(lab);
  const { arriving, leaving } = await observer(lab, common);
  const routed: Route = {
    send: (p) => source.send("src0", ...p),
    observed: [arriving("in0"), leaving("in0", "out0", 1)],
  };
  const fromTun: Route = {
    send: (p) => own.sendTun("tun0", ...p),
    observed: [arriving("tun0"), leaving("tun0", "out0", 1)],
  };
  const bridged: Route = {
    send: (p) => source.send("src1", ...p),
    observed: [arriving("in1"), leaving("in1", "out1", 0)],
  };
  const back: Route = {
    send: (p) => sink.send("snk0", ...p),
    observed: [arriving("out0"), leaving("out0", "in0", 1)],
  };
  const made: Route = {
    send: (p) => own.send("out0", ...p),
    observed: [leaving(undefined, "out0", 0)],
  };
  const routeOf = (flow: SentFlow): Route => {
    if (isLayer3(flow)) return fromTun;
    return flow.flow.vlanId === undefined ? routed : bridged;
  };
  return [
    ...allFlows().map((flow) => ({ flow, route: routeOf(flow) })),
    ...flowsBack().map((flow) => ({ flow, route: back })),
    ...flowsMadeHere().map((flow) => ({ flow, route: made })),
  ];
}

function allFlows(): SentFlow[] {
  return [...wireFlows(WIRE), ...severalPacketFlows(SEVERAL), ...taggedFlows(TAGGED)];
}

/** Flows from the sink to the source. */
function flowsBack(): SentFlow[] {
  const packet = {
    source: "fd00:2::1",
    destination: "fd00:1::1",
    link: { source: MAC.snk0, destination: MAC.out0 },
  };
  const plans: FlowPlan[] = [
    { name: "back", packet, count: 1, first: 9 },
    {
      name: "back, several packets",
      packet,
      count: 5,
      anomalies: [{ kind: "lost", flow: 0, sequence: 1 }],
      vary: (i) => ({ hopLimit: 50 + i }),
    },
  ];
  return plans.map((plan, i) => plannedFlow(plan, BACK + i));
}

/** Flows that begin in the router. Its VLAN tags are in the packet, not offloaded. */
function flowsMadeHere(): SentFlow[] {
  const tags = [{ protocol: 0x88a8, id: 210 }, { id: 310 }];
  const mac = { source: MAC.out0, destination: MAC.snk0 };
  const plans: FlowPlan[] = [
    { name: "made by the router", packet: { link: mac }, count: 2 },
    { name: "made by the router, VLAN", packet: { link: { ...mac, tags: [tags[1]] } }, count: 2 },
    { name: "made by the router, QinQ", packet: { link: { ...mac, tags } }, count: 2 },
  ];
  return plans.map((plan, i) => plannedFlow(plan, OWN + i));
}

function isLayer3({ packets }: SentFlow): boolean {
  return packets[0].link === null;
}

interface Observer {
  arriving(by: string): Observed;
  /** `from` undefined: made by the router. `hops`: by how much the hop limit is less. */
  leaving(from: string | undefined, by: string, hops: number): Observed;
}

async function observer({ router }: RouterLab, common: Common): Promise<Observer> {
  const links = await router.ipJson<{ ifname: string; ifindex: number }[]>("link");
  const index = (name: string): number => links.find(({ ifname }) => ifname === name)!.ifindex;
  return {
    arriving: (by) => ({
      ...common,
      interfaceName: by,
      direction: "ingress",
      ingressInterface: index(by),
      egressInterface: 0,
      hops: 0,
    }),
    leaving: (from, by, hops) => ({
      ...common,
      interfaceName: by,
      direction: "egress",
      ingressInterface: from === undefined ? 0 : index(from),
      egressInterface: index(by),
      hops,
    }),
  };
}
