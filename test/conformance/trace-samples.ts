// Records of traces of each kind, made from the kernel's messages.
import { TraceIds, TraceRecords } from "../../src/agent/trace/trace-records.ts";
import { LINUX_TIMESTAMPS } from "../../src/ioam/index.ts";
import { IoamEvent } from "../../src/netlink/index.ts";
import { dexAttributes, FAMILY, messageOctets, traceAttributes } from "../lab/ioam-event.ts";
import { nodeLengthOf, nodeOctets, randomNode } from "../lab/ioam-node.ts";
import { concat } from "../lab/octets.ts";
import { randomNumbers } from "../lab/random.ts";

/** Node, interfaces, seconds, fraction; the same with all that a trace type can ask for. */
const SHORT = 0xf00000;
const LONG = 0xfffffe;

/** When the events were taken, Unix milliseconds. */
const TIME = 1_795_218_427_383;

/** Pre-allocated traces of three nodes with a path delay, and DEX events, of either length. */
export function sampleTraces(): TraceRecords {
  const random = randomNumbers(0x7011);
  const records = new TraceRecords(LINUX_TIMESTAMPS, new TraceIds());
  records.setTime(TIME);
  for (const traceType of [SHORT, LONG, SHORT]) {
    const nodes = [0, 1, 2].map((hop) => {
      const node = randomNode(traceType, random);
      // The first node's time in microseconds, and the last one's: 250 µs later.
      return Object.assign(node, {
        values: node.values.set(2, 1_795_218_427n).set(3, BigInt(1000 + 125 * hop)),
      });
    });
    const data = concat(...nodes.map((node) => nodeOctets(traceType, node)).reverse());
    const nodeLength = nodeLengthOf(traceType);
    add(records, 1, traceAttributes({ namespace: 123, nodeLength, traceType, data }));
    const [node] = nodes;
    const dex = { namespace: 7, traceType, node: node!, flowId: 0xabcdef, sequence: 42 };
    add(records, 2, dexAttributes(dex));
  }
  // A snapshot that takes three octets of length.
  const snapshot = { schema: 5, data: Uint8Array.from({ length: 300 }, () => random(256)) };
  add(
    records,
    2,
    dexAttributes({ namespace: 1, traceType: 2, node: { values: new Map(), snapshot } }),
  );
  return records;
}

function add(
  records: TraceRecords,
  command: number,
  attributes: Parameters<typeof messageOctets>[1],
) {
  const message = messageOctets(command, attributes);
  const event = new IoamEvent(FAMILY);
  if (!event.decode(message, 0, message.length)) throw new Error("not an event");
  records.add(event);
}
