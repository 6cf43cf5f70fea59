// Lines of JSON in packets: what goes over a transport instead of IPFIX messages.
import type { Outgoing } from "./outgoing.ts";

/** Whole lines that go together, each a record. */
class JsonLines implements Outgoing {
  readonly bytes: Uint8Array;
  readonly octets: number;
  readonly messageLength: number;
  /** JSON knows of none. */
  readonly observationDomainId = 0;
  readonly isAnnouncement = false;
  readonly #records: number;

  constructor(lines: readonly Uint8Array[]) {
    this.bytes = Buffer.concat(lines);
    this.octets = this.bytes.length;
    this.messageLength = this.octets;
    this.#records = lines.length;
  }

  recordsBefore(octet: number): number {
    return octet === 0 ? 0 : this.#records;
  }

  stamp(): void {}
}

/** Packs lines, in their order, into packets of at most `maxLength` octets; one that is longer goes alone. */
export function packLines(lines: Iterable<string>, maxLength: number): JsonLines[] {
  const packets: JsonLines[] = [];
  let packet: Uint8Array[] = [];
  let length = 0;
  for (const line of lines) {
    const octets = Buffer.from(line);
    if (packet.length > 0 && length + octets.length > maxLength) {
      packets.push(new JsonLines(packet));
      packet = [];
      length = 0;
    }
    packet.push(octets);
    length += octets.length;
  }
  if (packet.length > 0) packets.push(new JsonLines(packet));
  return packets;
}
