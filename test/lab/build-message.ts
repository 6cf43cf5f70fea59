// Puts IPFIX messages together from sets, for what is decoded without having been sent.
import { big, concat } from "./octets.ts";

/** A set: its id and what is in it, one behind the other. */
export interface BuiltSet {
  id: number;
  content: readonly Uint8Array[];
}

export interface BuiltMessage {
  sets: readonly BuiltSet[];
  /** Unix seconds: 2024-07-03 09:46:40 UTC unless told. */
  exportTime?: number;
  /** Default: 0. */
  sequence?: number;
  /** Default: 1. */
  domain?: number;
}

/** The octets of a message (RFC 7011 section 3.1). */
export function buildMessage(message: BuiltMessage): Uint8Array {
  const { exportTime = 1_720_000_000, sequence = 0, domain = 1 } = message;
  const sets = message.sets.map(({ id, content }) => {
    const octets = concat(...content);
    return concat(big(id, 2), big(4 + octets.length, 2), octets);
  });
  const body = concat(...sets);
  const header = [big(10, 2), big(16 + body.length, 2), big(exportTime, 4)];
  return concat(...header, big(sequence, 4), big(domain, 4), body);
}
