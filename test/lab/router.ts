// The topology of most tests: a source, a router and a sink, three namespaces in a row.
import { availableParallelism } from "node:os";
import { eventually } from "./eventually.ts";
import { createNetns, type Netns, netnsPrefix } from "./netns.ts";
import { DESTINATION_MAC, SOURCE_MAC } from "./packet.ts";

/** Ethernet addresses of the four devices. */
export const MAC: Readonly<Record<"src0" | "in0" | "out0" | "snk0", string>> = {
  src0: SOURCE_MAC,
  in0: DESTINATION_MAC,
  out0: "02:00:00:00:02:01",
  snk0: "02:00:00:00:02:02",
};

/** Addresses, each on the loopback device of its namespace: no solicited-node group, no MLD. */
export const ADDRESS = { source: "fd00:1::1", router: "fd00:3::1", sink: "fd00:2::1" } as const;

// Gateways that nobody has: only their permanent neighbour entries matter.
const GATEWAY = { source: "fd00:ffff::1", router: "fd00:ffff::2", sink: "fd00:ffff::3" };

export interface RouterOptions {
  /** Of all four devices: 1500 unless told. */
  mtu?: number;
  /** Generic receive offload at in0 and snk0 (it brings NAPI, which XDP redirection needs): true unless told. */
  gro?: boolean;
  /** Whether the sink can send back to the source (TCP): false unless told, so it never answers. */
  replies?: boolean;
}

/**
 * source [src0] — [in0] router [out0] — [snk0] sink. The router sends fd00:1::/32 to the source and
 * everything else to the sink. A queue a CPU: what one CPU sends, the same CPU forwards.
 */
export class RouterLab {
  readonly source: Netns;
  readonly router: Netns;
  readonly sink: Netns;
  readonly mtu: number;

  constructor(source: Netns, router: Netns, sink: Netns, mtu: number) {
    this.source = source;
    this.router = router;
    this.sink = sink;
    this.mtu = mtu;
  }

  /** Removes the three namespaces and all that runs in them. */
  async close(): Promise<void> {
    const ends = await Promise.allSettled(
      [this.source, this.router, this.sink].map((n) => n.close()),
    );
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function connect(lab: RouterLab): Promise<void> {
  const queues = `numrxqueues ${availableParallelism()} numtxqueues ${availableParallelism()}`;
  const end = (device: keyof typeof MAC) => `mtu ${lab.mtu} address ${MAC[device]} ${queues}`;
  const pair = (inside: keyof typeof MAC, outside: keyof typeof MAC, netns: Netns) =>
    `link add ${inside} ${end(inside)} type veth peer name ${outside} netns ${netns.name} ${end(outside)}`;
  await lab.router.ip(pair("in0", "src0", lab.source), pair("out0", "snk0", lab.sink));
  // Without multicast forwarding joins no all-routers group, which MLD would announce.
  const up = (device: string) => [`link set ${device} multicast off`, `link set ${device} up`];
  await Promise.all([
    lab.source.ip(...up("src0")),
    lab.router.ip(...up("in0"), ...up("out0")),
    lab.sink.ip(...up("snk0")),
  ]);
}

/** What a CPU forwards leaves by its own queue: two CPUs that fill one queue can overrun it. */
async function queueOfCpu(netns: Netns, device: string): Promise<void> {
  const lines = Array.from({ length: availableParallelism() }, (_, cpu) => {
    const mask = (1n << BigInt(cpu)).toString(16).replace(/\B(?=(.{8})+$)/g, ",");
    return `echo ${mask} > /sys/class/net/${device}/queues/tx-${cpu}/xps_cpus`;
  });
  await netns.run("sh", ["-e"], { input: lines.join("\n") });
}

async function address(lab: RouterLab, replies: boolean): Promise<void> {
  const neighbour = (gateway: string, device: string, peer: keyof typeof MAC) =>
    `neigh replace ${gateway} lladdr ${MAC[peer]} dev ${device} nud permanent`;
  const route = (prefix: string, gateway: string, device: string) =>
    `route add ${prefix} via ${gateway} dev ${device} onlink`;
  await lab.router.sysctl({ "net.ipv6.conf.all.forwarding": 1 });
  await Promise.all([
    lab.source.ip(
      `addr add ${ADDRESS.source}/128 dev lo nodad`,
      neighbour(GATEWAY.router, "src0", "in0"),
      `${route("::/0", GATEWAY.router, "src0")} src ${ADDRESS.source}`,
    ),
    lab.router.ip(
      `addr add ${ADDRESS.router}/128 dev lo nodad`,
      neighbour(GATEWAY.source, "in0", "src0"),
      neighbour(GATEWAY.sink, "out0", "snk0"),
      route("fd00:1::/32", GATEWAY.source, "in0"),
      route("::/0", GATEWAY.sink, "out0"),
    ),
    lab.sink.ip(
      `addr add ${ADDRESS.sink}/128 dev lo nodad`,
      ...(replies
        ? [
            neighbour(GATEWAY.router, "snk0", "out0"),
            `${route("::/0", GATEWAY.router, "snk0")} src ${ADDRESS.sink}`,
          ]
        : []),
    ),
  ]);
}

async function carrier(netns: Netns, ...devices: string[]): Promise<void> {
  await eventually(`${devices.join(" and ")} are up`, async () => {
    const links = await netns.ipJson<{ ifname: string; operstate: string }[]>("link");
    return devices.every((name) => links.some((l) => l.ifname === name && l.operstate === "UP"));
  });
}

/** Makes the three namespaces and what connects them; `await lab.close()` or `await using`. */
export async function router(o: RouterOptions = {}): Promise<RouterLab> {
  const prefix = netnsPrefix();
  const made = await Promise.allSettled(
    ["source", "router", "sink"].map((role) => createNetns(role, prefix)),
  );
  const netns = made.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  try {
    for (const one of made) if (one.status === "rejected") throw one.reason;
    const lab = new RouterLab(netns[0]!, netns[1]!, netns[2]!, o.mtu ?? 1500);
    await connect(lab);
    await address(lab, o.replies ?? false);
    await Promise.all([
      lab.router.features("in0", { gro: o.gro ?? true }),
      lab.sink.features("snk0", { gro: o.gro ?? true }),
      queueOfCpu(lab.source, "src0"),
      queueOfCpu(lab.router, "out0"),
    ]);
    await Promise.all([
      carrier(lab.source, "src0"),
      carrier(lab.router, "in0", "out0"),
      carrier(lab.sink, "snk0"),
    ]);
    return lab;
  } catch (error) {
    await Promise.allSettled(netns.map((one) => one.close()));
    throw error;
  }
}
