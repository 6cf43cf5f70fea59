// The nodes of the trace demo: set up with `ip ioam` and sysctl, and asked by the same two.
import type { Netns } from "../lab/netns.ts";
import { shell } from "./operator.ts";

export const NAMESPACE = 123;

/** How an operator sets a node up; `devices` by name. */
export interface NodePlan {
  id: number;
  idWide: string;
  devices: Record<string, { id: number; idWide: number }>;
  /** The interface that takes part in IOAM. */
  enabled: string;
  data: string;
  dataWide: string;
  schema: { id: number; text: string };
}

/** What `ip ioam` and the system controls say of a node. */
export interface NodeFacts {
  id: bigint;
  idWide: bigint;
  devices: Record<string, { id: bigint; idWide: bigint }>;
  data: bigint;
  dataWide: bigint;
  schema: { id: number; data: Uint8Array };
}

/** Sets it up and shows the commands. */
export async function setUp({ name }: Netns, plan: NodePlan): Promise<void> {
  const sysctl = `ip netns exec ${name} sysctl -qw`;
  await shell(`${sysctl} net.ipv6.ioam6_id=${plan.id} net.ipv6.ioam6_id_wide=${plan.idWide}`);
  for (const [device, { id, idWide }] of Object.entries(plan.devices)) {
    const conf = `net.ipv6.conf.${device}.ioam6`;
    await shell(
      `${sysctl} ${conf}_id=${id} ${conf}_id_wide=${idWide}` +
        (device === plan.enabled ? ` ${conf}_enabled=1` : ""),
    );
  }
  const ioam = `ip -n ${name} ioam`;
  await shell(`${ioam} namespace add ${NAMESPACE} data ${plan.data} wide ${plan.dataWide}`);
  await shell(`${ioam} schema add ${plan.schema.id} ${plan.schema.text}`);
  await shell(`${ioam} namespace set ${NAMESPACE} schema ${plan.schema.id}`);
}

/** Asks the node itself, shown: what a trace ought to say is taken from the answers. */
export async function ask({ name }: Netns, devices: string[]): Promise<NodeFacts> {
  const namespace = await shell(`ip -n ${name} ioam namespace show`);
  const schema = await shell(`ip -n ${name} ioam schema show`);
  const names = ["net.ipv6.ioam6_id", "net.ipv6.ioam6_id_wide"].concat(
    devices.flatMap((device) => [
      `net.ipv6.conf.${device}.ioam6_id`,
      `net.ipv6.conf.${device}.ioam6_id_wide`,
    ]),
  );
  const controls = await shell(`ip netns exec ${name} sysctl ${names.join(" ")}`);
  const control = (of: string) => {
    const line = controls.split("\n").find((one) => one.startsWith(`${of} = `));
    return BigInt(line!.slice(of.length + 3));
  };
  const found = /^namespace (\d+) \[schema (\d+)\], data (0x\w+), wide (0x\w+)/.exec(namespace);
  const octets = /^schema \d+ .*data: ([0-9a-f ]+)/.exec(schema);
  if (found === null || octets === null)
    throw new Error("`ip ioam` says something else than usual");
  return {
    id: control("net.ipv6.ioam6_id"),
    idWide: control("net.ipv6.ioam6_id_wide"),
    devices: Object.fromEntries(
      devices.map((device) => [
        device,
        {
          id: control(`net.ipv6.conf.${device}.ioam6_id`),
          idWide: control(`net.ipv6.conf.${device}.ioam6_id_wide`),
        },
      ]),
    ),
    data: BigInt(found[3]!),
    dataWide: BigInt(found[4]!),
    schema: {
      id: Number(found[2]),
      data: Uint8Array.from(octets[1]!.trim().split(" "), (octet) => Number.parseInt(octet, 16)),
    },
  };
}
