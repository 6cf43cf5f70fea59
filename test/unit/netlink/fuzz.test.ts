// A million mutated messages: no throw, no loop, and nothing outside the message has any influence.
import { expect, test } from "vitest";
import { nodeFields, readNode, SNAPSHOT_LENGTH } from "../../../src/ioam/index.ts";
import { IoamEvent } from "../../../src/netlink/index.ts";
import { dexAttributes, FAMILY, messageOctets, traceAttributes } from "../../lab/ioam-event.ts";
import { nodeLengthOf, nodeOctets, randomNode } from "../../lab/ioam-node.ts";
import { concat } from "../../lab/octets.ts";
import { randomNumbers } from "../../lab/random.ts";

const MESSAGES = 1_000_000;
/** Where the message begins; as much is behind the longest. */
const BEFORE = 64;
const LONGEST = 2048;

const random = randomNumbers(0xf022);

function seed(): Uint8Array {
  const traceType = 2 + random(2 ** 24 - 2);
  if (random(2) === 0) {
    const node = randomNode(traceType, random);
    const event = { namespace: 1, traceType, node, flowId: 5, sequence: 6 };
    return messageOctets(2, dexAttributes(event));
  }
  const nodes = Array.from({ length: random(5) }, () => randomNode(traceType, random));
  const data = concat(...nodes.map((node) => nodeOctets(traceType, node)));
  const nodeLength = nodeLengthOf(traceType);
  return messageOctets(1, traceAttributes({ namespace: 1, nodeLength, traceType, data }));
}

const SEEDS = Array.from({ length: 500 }, seed);

/** Changes a message in place; returns how long it is now. */
function mutate(message: Uint8Array, length: number): number {
  const at = 20 + random(length - 20);
  switch (random(8)) {
    case 0: // a length or a number of an attribute, as likely as not
      message[at & ~3] = random(random(2) === 0 ? 40 : 256);
      return length;
    case 1:
      message[at & ~1] = [0, 1, 3, 4, 5, 0xff][random(6)]!;
      return length;
    case 2: // cut off, and it says so or not
      if (random(2) === 0) message.set([at & 0xff, at >> 8, 0, 0]);
      return at;
    case 3: // longer than it says
      return Math.min(length + 4 * random(8), LONGEST);
    case 4:
      message[random(20)] = random(256);
      return length;
    case 5: // a part moved
      message.copyWithin(at, 20 + random(length - 20), length);
      return length;
    default:
      message[at] = random(256);
      return length;
  }
}

const fields = nodeFields();

/** A number that differs, all but surely, when the decoded event does; 0: not decoded. */
function digest(event: IoamEvent, octets: Uint8Array, length: number, whole: boolean): number {
  if (!event.decode(octets, BEFORE, length)) return 0;
  const end = BEFORE + length;
  let sum = event.namespaceId + event.traceType * 3 + event.hops * 5 + (event.flowId ?? 0);
  for (let hop = 0; hop < event.hops; hop++) {
    event.locate(hop, fields);
    for (let i = 0; i < SNAPSHOT_LENGTH; i++) {
      const at = fields[i]!;
      if (at < 0) continue;
      const size = i === SNAPSHOT_LENGTH - 1 ? fields[SNAPSHOT_LENGTH]! : i >= 8 && i <= 10 ? 8 : 4;
      if (at < BEFORE || at + size > end)
        throw new Error(`field ${i} at ${at} of ${size}: outside`);
      sum = (sum * 31 + i * 7 + at + (size > 0 ? octets[at]! : 0)) % 2 ** 40;
    }
    if (whole) readNode(event.view, fields);
  }
  return sum + 1;
}

test("1 000 000 mutated messages", () => {
  const quiet = new Uint8Array(BEFORE + LONGEST + BEFORE);
  const loud = new Uint8Array(quiet.length).fill(0xff);
  const [a, b] = [new IoamEvent(FAMILY), new IoamEvent(FAMILY)];
  let decoded = 0;
  for (let i = 0; i < MESSAGES; i++) {
    const of = SEEDS[random(SEEDS.length)]!;
    let length = of.length;
    const message = quiet.subarray(BEFORE, BEFORE + LONGEST);
    message.fill(0, length);
    message.set(of);
    for (let changes = 1 + random(4); changes > 0; changes--) {
      length = mutate(message, Math.max(length, 21));
    }
    message.fill(0, length);
    loud.fill(0xff, BEFORE + length);
    loud.set(message.subarray(0, length), BEFORE);
    const found = digest(a, quiet, length, i % 8 === 0);
    if (found !== digest(b, loud, length, false)) {
      throw new Error(
        `octets outside matter: ${Buffer.from(message.subarray(0, length)).toString("hex")}`,
      );
    }
    if (found !== 0) decoded++;
  }
  // Most are refused, many are not: both ways are tried.
  expect(decoded).toBeGreaterThan(MESSAGES / 20);
  expect(decoded).toBeLessThan(MESSAGES / 1.5);
}, 300_000);

test("octets at random", () => {
  const octets = new Uint8Array(BEFORE + LONGEST);
  const event = new IoamEvent(FAMILY);
  for (let i = 0; i < 20_000; i++) {
    const length = random(200);
    for (let at = BEFORE; at < BEFORE + length; at++) octets[at] = random(256);
    digest(event, octets, length, true);
  }
});
