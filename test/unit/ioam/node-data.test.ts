// Trace data and node data: every bit, alone and together, against an independent model.
import { expect, test } from "vitest";
import {
  locateFields,
  MAX_NODES,
  type NodeData,
  nodeFields,
  readNode,
  splitNodes,
  traceLayout,
  traceTypeText,
} from "../../../src/ioam/index.ts";
import {
  decodedNode,
  type NodeModel,
  nodeLengthOf,
  nodeOctets,
  randomNode,
  TRACE_BITS,
  traceTypeOf,
} from "../../lab/ioam-node.ts";
import { concat, unhex } from "../../lab/octets.ts";
import { randomNumbers } from "../../lab/random.ts";

const random = randomNumbers(0x9197);

/** The nodes in `octets`, as in the data; undefined when it is not whole nodes. */
function decode(traceType: number, octets: Uint8Array): NodeData[] | undefined {
  const layout = traceLayout(traceType);
  // Not at the start of its memory.
  const placed = concat([1, 2, 3, 4, 5, 6, 7], octets, [8, 9]).subarray(3);
  const nodes = new Uint32Array(MAX_NODES);
  const count = splitNodes(placed, 4, octets.length, layout, nodes);
  if (count < 0) return undefined;
  const view = new DataView(placed.buffer, placed.byteOffset, placed.byteLength);
  return Array.from(nodes.subarray(0, count), (node) => {
    const fields = nodeFields();
    locateFields(placed, node, layout, fields);
    return readNode(view, fields);
  });
}

test.each(TRACE_BITS.map(([name], bit) => [bit, name]))("bit %i alone: %s", (bit) => {
  const traceType = traceTypeOf([bit as number]);
  for (let i = 0; i < 50; i++) {
    const node = randomNode(traceType, random);
    expect(decode(traceType, nodeOctets(traceType, node))).toEqual([decodedNode(traceType, node)]);
  }
  const ones = new Uint8Array(TRACE_BITS[bit as number]![1]).fill(0xff);
  const [gone] = decode(traceType, ones)!;
  const values = Object.values({ ...gone, ...gone!.ioamUndefined, ioamUndefined: null });
  expect(values.every((value) => value === null)).toBe(true);
});

test("values written down by hand", () => {
  expect(decode(0xf00000, unhex("3f000007 0009ffff 6b00062d 0006daec"))).toEqual([
    {
      ioamHopLimit: 63,
      ioamNodeId: 7,
      ioamIngressInterfaceId: 9,
      ioamEgressInterfaceId: null,
      ioamTimestampSeconds: 0x6b00062d,
      ioamTimestampFraction: 0x0006daec,
    },
  ]);
  // 255 is a hop limit, unless all of the field is ones.
  expect(decode(0x800000, unhex("ff000001"))![0]).toEqual({ ioamHopLimit: 255, ioamNodeId: 1 });
  expect(decode(0x800000, unhex("40ffffff"))![0]).toEqual({ ioamHopLimit: 64, ioamNodeId: null });
  expect(decode(0x080000, unhex("80000005"))![0]).toEqual({
    ioamTransitDelayNanoseconds: 5,
    ioamTransitDelayOverflow: true,
  });
  expect(decode(0x000002, unhex("00ffffff 02000007 6162636465666768"))).toEqual([
    { ioamSnapshotSchemaId: null, ioamSnapshotData: new Uint8Array(0) },
    { ioamSnapshotSchemaId: 7, ioamSnapshotData: unhex("6162636465666768") },
  ]);
});

test("random trace types, up to 15 nodes", () => {
  for (let i = 0; i < 5000; i++) {
    const traceType = random(2 ** 24);
    const nodes: NodeModel[] = Array.from({ length: random(16) }, () =>
      randomNode(traceType, random),
    );
    // Bit 23 alone stands for no octets at all.
    if (traceType <= 1) continue;
    expect(traceLayout(traceType).nodeLength).toBe(nodeLengthOf(traceType));
    const octets = concat(...nodes.map((node) => nodeOctets(traceType, node)));
    const decoded = decode(traceType, octets);
    expect(decoded, traceTypeText(traceType)).toEqual(
      nodes.map((node) => decodedNode(traceType, node)),
    );
    // Cut off anywhere, it is whole nodes or nothing.
    const cut = octets.subarray(0, random(octets.length + 1));
    expect((decode(traceType, cut) ?? []).length).toBeLessThanOrEqual(nodes.length);
  }
});

test("what is not whole nodes", () => {
  for (const [traceType, octets] of [
    [0x000000, "00000000"],
    [0x000001, "00000000"],
    [0x800000, "000000"],
    [0x800000, "0000000000"],
    [0x008000, "00000000"],
    [0x000002, "01000007"],
    [0x000002, "ff000007 00000000"],
    [0x800002, "40000001 00"],
  ] as const) {
    expect(decode(traceType, unhex(octets)), `${traceType} ${octets}`).toBeUndefined();
  }
  expect(decode(0, new Uint8Array(0))).toEqual([]);
  expect(decode(0xffffff, new Uint8Array(0))).toEqual([]);
  expect(decode(0x800000, new Uint8Array(MAX_NODES * 4))).toHaveLength(MAX_NODES);
  expect(decode(0x800000, new Uint8Array(MAX_NODES * 4 + 4))).toBeUndefined();
});
