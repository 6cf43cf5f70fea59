// IPFIX messages made for a test, and what a decoder has to make of them.
import { ElementRegistry, Template } from "../../src/ipfix/index.ts";
import type { DecodedRecord } from "./ipfixdump.ts";
import { addressText, big, concat } from "./octets.ts";

export interface Sample {
  /** The template's message, then messages of data of one length; the last may be shorter. */
  messages: Uint8Array[];
  /** As `ipfixDump` gives them. */
  records: DecodedRecord[];
}

const TEMPLATE = 256;
const registry = new ElementRegistry();
const template = new Template(
  TEMPLATE,
  ["flowStartMilliseconds", "sourceIPv6Address", "packetDeltaCount", "sourceTransportPort"].map(
    (name) => ({ element: registry.get(name) }),
  ),
);

const START = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

/** A session's messages with so many records, all different, `perMessage` in one. */
export function sampleMessages(count: number, perMessage = 20): Sample {
  const messages = [message(0, 2, template.record)];
  const records: DecodedRecord[] = [];
  for (let from = 0; from < count; from += perMessage) {
    const octets: Uint8Array[] = [];
    for (let i = from; i < Math.min(from + perMessage, count); i++) {
      const address = concat([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0], big(i, 4));
      octets.push(concat(big(START + i, 8), address, big(3 * i, 8), big(i & 0xffff, 2)));
      records.push({
        template: TEMPLATE,
        options: false,
        fields: {
          flowStartMilliseconds: new Date(START + i).toISOString().replace("T", " ").slice(0, -1),
          sourceIPv6Address: addressText(address),
          packetDeltaCount: String(3 * i),
          sourceTransportPort: String(i & 0xffff),
        },
      });
    }
    messages.push(message(from, TEMPLATE, concat(...octets)));
  }
  return { messages, records };
}

function message(sequence: number, set: number, content: Uint8Array): Uint8Array {
  const length = 20 + content.length;
  const time = Math.floor(Date.now() / 1000);
  const header = [big(10, 2), big(length, 2), big(time, 4), big(sequence, 4), big(1, 4)];
  return concat(...header, big(set, 2), big(length - 16, 2), content);
}
