// The messages of the kernel's IOAM events, octet by octet, independently of the code under test.
import { endianness } from "node:os";
import { bitsOf, fieldOctets, type NodeModel, SNAPSHOT_BIT } from "./ioam-node.ts";
import { big, concat } from "./octets.ts";

/** The number of the family in these messages. */
export const FAMILY = 0x1d;

/** An attribute: its number and its value. */
export type Attribute = readonly [type: number, value: ArrayLike<number>];

/** `value` as an integer of this machine. */
export function native(value: number, octets: number): Uint8Array {
  const bytes = big(value, octets);
  return endianness() === "LE" ? bytes.reverse() : bytes;
}

/** struct nlattr, the value, padding to 4 octets. */
export function attributeOctets([type, value]: Attribute): Uint8Array {
  const padding = new Uint8Array(-value.length & 3);
  return concat(native(4 + value.length, 2), native(type, 2), value, padding);
}

/** struct nlmsghdr, struct genlmsghdr, attributes. */
export function messageOctets(command: number, attributes: Attribute[], type = FAMILY): Uint8Array {
  const body = concat(...attributes.map(attributeOctets));
  return concat(
    native(20 + body.length, 4),
    native(type, 2),
    native(0, 2), // flags
    native(0, 4), // sequence
    native(0, 4), // port
    [command, 1, 0, 0],
    body,
  );
}

export interface TraceEventModel {
  namespace: number;
  nodeLength: number;
  traceType: number;
  data: Uint8Array;
}

/** The attributes of command 1, as mainline's. */
export function traceAttributes(event: TraceEventModel): Attribute[] {
  return [
    [1, native(event.namespace, 2)],
    [2, [event.nodeLength]],
    [3, native(event.traceType * 256, 4)],
    [4, event.data],
  ];
}

export interface DexEventModel {
  namespace: number;
  traceType: number;
  node: NodeModel;
  flowId?: number;
  sequence?: number;
}

/** The attributes of command 2, as the patched kernel's: those of 8 octets after an empty one. */
export function dexAttributes(event: DexEventModel): Attribute[] {
  const attributes: Attribute[] = [
    [5, [4]],
    [6, native(event.namespace, 2)],
  ];
  if (event.flowId !== undefined) attributes.push([7, native(event.flowId, 4)]);
  if (event.sequence !== undefined) attributes.push([8, native(event.sequence, 4)]);
  for (const bit of bitsOf(event.traceType)) {
    if (bit === SNAPSHOT_BIT) {
      const { schema, data } = event.node.snapshot ?? { schema: 0xffffff, data: [] };
      attributes.push([31, big(schema, 4)], [32, data]);
      continue;
    }
    const value = fieldOctets(bit, event.node.values.get(bit)!);
    if (value.length === 8) attributes.push([7, []]);
    attributes.push([9 + bit, value]);
  }
  return attributes;
}
