// How long a message may be (RFC 7011 section 10.3.3).
import { IoamctlError } from "../../errors.ts";
import type { Template } from "../template.ts";
import type { Transport } from "../transport/transport.ts";
import { BATCH_OCTETS } from "./message-batch.ts";
import { OVERHEAD } from "./message-header.ts";

/** Octets of a packet where the path's MTU is not known. */
const UNKNOWN_MTU = 512;

/**
 * Largest packet taken over from the path: collectors that read into a buffer of 10 000 octets cut
 * off what the loopback interface would carry.
 */
const LARGEST_PATH_MTU = 9000;

/** Octets of the longest message that has to be sent whole: a template's, or one record's. */
export function neededLength(templates: readonly Template[]): number {
  const lengths = templates.map(({ record, recordLength }) =>
    Math.max(record.length, recordLength),
  );
  return OVERHEAD + Math.max(0, ...lengths);
}

/**
 * Octets that a message may have: what fits a packet of `mtu` octets and of the path's MTU. What alone
 * is longer goes alone, for the path to refuse: no packet is to be fragmented (RFC 7011 section
 * 10.3.3). Throws MTU_TOO_SMALL when `mtu` has no room for a template or record.
 */
export function messageLimit(
  transport: Transport,
  templates: readonly Template[],
  mtu: number | undefined,
): number {
  const needed = neededLength(templates);
  const { headerLength } = transport;
  if (mtu !== undefined && mtu - headerLength < needed) {
    throw new IoamctlError(
      "MTU_TOO_SMALL",
      `an mtu of ${mtu} octets is too small for the templates: give at least ${needed + headerLength}`,
    );
  }
  const path = transport.pathMtu();
  const known = path === undefined ? UNKNOWN_MTU : Math.min(path, LARGEST_PATH_MTU);
  const packet = mtu === undefined ? known : Math.min(mtu, path ?? mtu);
  return Math.min(BATCH_OCTETS, packet - headerLength);
}
