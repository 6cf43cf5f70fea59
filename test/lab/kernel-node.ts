// What the kernel of a node adds to a trace, from RFC 9197 and the node's settings.
import { type IoamNamespace, type IoamNode, textOctets } from "./ioam-kernel.ts";
import type { NodeModel } from "./ioam-node.ts";

const ONES_4 = 0xffffffffn;
const ONES_8 = 0xffffffffffffffffn;
/** The interface out of which a packet for this node itself goes. */
export const NONE = "none";
/** Stands for a value that only the kernel knows. */
const ANY_TIME = 0n;

/** What a node adds, by its settings, to a packet that comes in with that hop limit. */
export function added(
  node: IoamNode,
  namespace: IoamNamespace,
  [ingress, egress]: [string, string],
  hopLimit: number,
): NodeModel {
  const hops = BigInt(hopLimit - 1);
  const ids = (name: string) => node.interfaces[name] ?? {};
  const narrow = (name: string) => BigInt(ids(name).id ?? 0xffff);
  const wide = (name: string) => BigInt(ids(name).idWide ?? 0xffffffff);
  const values = new Map<number, bigint>();
  for (let bit = 4; bit < 22; bit++) values.set(bit, ONES_4);
  values.set(0, (hops << 24n) | BigInt(node.id ?? 0xffffff));
  values.set(1, (narrow(ingress) << 16n) | narrow(egress));
  values.set(2, ANY_TIME);
  values.set(3, ANY_TIME);
  values.set(5, BigInt(namespace.data ?? 0xffffffff));
  values.set(6, egress === NONE ? ONES_4 : 0n);
  values.set(8, (hops << 56n) | (node.idWide ?? (1n << 56n) - 1n));
  values.set(9, (wide(ingress) << 32n) | wide(egress));
  values.set(10, namespace.wide ?? ONES_8);
  if (namespace.schema === undefined) return { values };
  const data = textOctets(node.schemas![namespace.schema]!);
  return { values, snapshot: { schema: namespace.schema, data } };
}
