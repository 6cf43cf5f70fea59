// The kernel's events built by an independent encoder: every attribute, missing ones, wrong sizes.
import { expect, test } from "vitest";
import {
  type Attribute,
  attributeOctets,
  dexAttributes,
  messageOctets,
  native,
  traceAttributes,
} from "../../lab/ioam-event.ts";
import {
  bitsOf,
  decodedNode,
  nodeLengthOf,
  nodeOctets,
  randomNode,
  SNAPSHOT_BIT,
  traceTypeOf,
} from "../../lab/ioam-node.ts";
import { concat, unhex } from "../../lab/octets.ts";
import { randomNumbers } from "../../lab/random.ts";
import { decodeAlone } from "./decoded-event.ts";

const random = randomNumbers(0x9326);
const TRACE = 1;
const DEX = 2;

function trace(traceType: number, data: Uint8Array, nodeLength = nodeLengthOf(traceType)) {
  return traceAttributes({ namespace: 123, nodeLength, traceType, data });
}

const HOP = unhex("3f000007 0009ffff 6b00062d 0006daec");

test("an event of the kernel's, as it came", () => {
  const message = concat(
    native(0x3c, 4),
    native(0x1d, 2),
    new Uint8Array(10),
    [1, 1, 0, 0],
    native(6, 2),
    native(1, 2),
    native(123, 2),
    [0, 0],
    native(5, 2),
    native(2, 2),
    [4, 0, 0, 0],
    native(8, 2),
    native(3, 2),
    native(0xf0000000, 4),
    native(20, 2),
    native(4, 2),
    HOP,
  );
  expect(message).toHaveLength(0x40);
  message.set(native(0x40, 4));
  expect(message).toEqual(messageOctets(TRACE, trace(0xf00000, HOP)));
  expect(decodeAlone(message)).toEqual({
    kind: "trace",
    namespace: 123,
    traceType: 0xf00000,
    nodes: [
      {
        ioamHopLimit: 63,
        ioamNodeId: 7,
        ioamIngressInterfaceId: 9,
        ioamEgressInterfaceId: null,
        ioamTimestampSeconds: 0x6b00062d,
        ioamTimestampFraction: 0x6daec,
      },
    ],
  });
});

test("trace events of random types and nodes: the newest node is the last hop", () => {
  for (let i = 0; i < 3000; i++) {
    const traceType = 2 + random(2 ** 24 - 2);
    const nodes = Array.from({ length: random(16) }, () => randomNode(traceType, random));
    const data = concat(...nodes.map((node) => nodeOctets(traceType, node)).reverse());
    expect(decodeAlone(messageOctets(TRACE, trace(traceType, data)))).toEqual({
      kind: "trace",
      namespace: 123,
      traceType,
      nodes: nodes.map((node) => decodedNode(traceType, node)),
    });
  }
});

test("a trace event without data, or with attributes of kernels to come, in any order", () => {
  const wanted = { kind: "trace", namespace: 123, traceType: 0xf00000, nodes: [] };
  const empty = trace(0xf00000, new Uint8Array(0));
  expect(decodeAlone(messageOctets(TRACE, empty))).toEqual(wanted);
  expect(decodeAlone(messageOctets(TRACE, empty.slice(0, 3)))).toEqual(wanted);
  const more: Attribute[] = [[99, [1, 2, 3]], ...empty.reverse(), [0x8000 + 77, new Uint8Array(9)]];
  expect(decodeAlone(messageOctets(TRACE, more))).toEqual(wanted);
});

test("trace events that contradict themselves", () => {
  const whole = trace(0xf00000, HOP);
  const cases: Record<string, Attribute[]> = {
    "no namespace": whole.slice(1),
    "no node length": [whole[0]!, ...whole.slice(2)],
    "no type": [...whole.slice(0, 2), whole[3]!],
    "node length 0 with data": trace(0xf00000, HOP, 0),
    "node length of another type": trace(0xf00000, HOP, 5),
    "half a node": trace(0xf00000, HOP.subarray(0, 8)),
    "a node and a bit": trace(0xf00000, concat(HOP, [0, 0, 0, 0])),
    "no type and data": trace(0, HOP, 0),
    "a snapshot beyond the end": trace(0x000002, unhex("02000007 61626364")),
    "namespace of 4 octets": [[1, native(123, 4)], ...whole.slice(1)],
    "node length of 2 octets": [whole[0]!, [2, native(4, 2)], ...whole.slice(2)],
    "type of 3 octets": [...whole.slice(0, 2), [3, [0, 0, 0]], whole[3]!],
    "empty namespace": [[1, []], ...whole.slice(1)],
  };
  for (const [name, attributes] of Object.entries(cases)) {
    expect(decodeAlone(messageOctets(TRACE, attributes)), name).toBeUndefined();
  }
});

test("DEX events: every attribute alone", () => {
  for (let bit = 0; bit < 23; bit++) {
    const traceType = traceTypeOf([bit]);
    for (let i = 0; i < 20; i++) {
      const node = randomNode(traceType, random);
      expect(
        decodeAlone(messageOctets(DEX, dexAttributes({ namespace: 7, traceType, node }))),
      ).toEqual({ kind: "dex", namespace: 7, traceType, nodes: [decodedNode(traceType, node)] });
    }
  }
});

test("DEX events of random types, with flow id and sequence number or without", () => {
  for (let i = 0; i < 3000; i++) {
    const traceType = random(2 ** 23) * 2;
    const node = randomNode(traceType, random);
    const event = {
      namespace: random(65536),
      traceType,
      node,
      ...(random(2) === 0 && { flowId: random(2 ** 32) }),
      ...(random(2) === 0 && { sequence: random(2 ** 32) }),
    };
    const { node: _node, ...rest } = event;
    expect(decodeAlone(messageOctets(DEX, dexAttributes(event)))).toEqual({
      kind: "dex",
      ...rest,
      nodes: [decodedNode(traceType, node)],
    });
  }
});

test("DEX events: attributes missing, of the wrong size, in another order, unknown", () => {
  const traceType = 0xffffff - 1;
  const node = randomNode(traceType, random);
  node.snapshot = { schema: 5, data: unhex("01020304") };
  const whole = dexAttributes({ namespace: 7, traceType, node, flowId: 1, sequence: 2 });
  const decoded = decodeAlone(messageOctets(DEX, whole));
  expect(decodeAlone(messageOctets(DEX, [...whole].reverse()))).toEqual(decoded);
  expect(decodeAlone(messageOctets(DEX, [...whole, [33, [1]], [200, []]]))).toEqual(decoded);

  for (const missing of whole) {
    const rest = whole.filter((one) => one !== missing);
    const found = decodeAlone(messageOctets(DEX, rest));
    const [type, value] = missing;
    if (type === 6) expect(found).toBeUndefined();
    else if (type === 5 || value.length === 0) expect(found).toEqual(decoded);
    else if (type === 7) expect(found).toEqual({ ...decoded, flowId: undefined });
    else if (type === 8) expect(found).toEqual({ ...decoded, sequence: undefined });
    else if (type < 31)
      expect(bitsOf(found!.traceType)).toEqual(bitsOf(traceType).filter((b) => b !== type - 9));
    else expect(bitsOf(found!.traceType)).toContain(SNAPSHOT_BIT);
  }
  // The schema alone, the data alone.
  const { ioamSnapshotData: _data, ...noData } = decoded!.nodes[0]!;
  expect(decodeAlone(messageOctets(DEX, whole.slice(0, -1)))!.nodes).toEqual([noData]);

  for (const [i, [type, value]] of whole.entries()) {
    if (value.length === 0 || type === 32) continue;
    for (const size of [value.length - 1, value.length + 1, 16]) {
      const wrong: Attribute[] = whole.with(i, [type, new Uint8Array(size).fill(4)]);
      const padding = type === 7 && size === 0;
      expect(decodeAlone(messageOctets(DEX, wrong)) === undefined, `${type}: ${size}`).toBe(
        !padding,
      );
    }
  }
  expect(decodeAlone(messageOctets(DEX, [[5, [0]], ...whole.slice(1)]))).toBeUndefined();
});

test("messages that are no event, cut off, or longer than they say", () => {
  const good = messageOctets(TRACE, trace(0xf00000, HOP));
  expect(decodeAlone(good)).toBeDefined();
  for (let length = 0; length < good.length; length++) {
    expect(decodeAlone(good.subarray(0, length)), `${length}`).toBeUndefined();
  }
  expect(decodeAlone(concat(good, good))).toBeUndefined();
  for (const command of [0, 3, 7, 255]) {
    expect(decodeAlone(messageOctets(command, trace(0xf00000, HOP)))).toBeUndefined();
  }
  expect(decodeAlone(messageOctets(TRACE, trace(0xf00000, HOP), 0x1c))).toBeUndefined();
  expect(decodeAlone(messageOctets(TRACE, trace(0xf00000, HOP), 2))).toBeUndefined();
  // An attribute shorter than its header, and one longer than the message.
  for (const length of [0, 3, 21, 0xffff]) {
    const bad = concat(good);
    bad.set(native(length, 2), good.length - attributeOctets([4, HOP]).length);
    expect(decodeAlone(bad), `attribute of ${length}`).toBeUndefined();
  }
});
