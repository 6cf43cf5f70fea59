// Where export packets go: the meter leaves them out (RFC 9326, section 6).
import { isInPrefix, parsePrefix } from "../address-prefix.ts";
import { parseAddress } from "../address-text.ts";
import { IoamctlError } from "../errors.ts";
import { EXPORT_DESTINATIONS, EXPORT_SETS, FLOW_IPV4, FLOW_PORTS } from "./abi.ts";
import { layoutOf, offsetOf } from "./layout.ts";

/** A collector as packets show it. */
export interface ExportDestination {
  /** IPv6 or IPv4; a zone ("%eth0") is ignored. */
  readonly address: string;
  readonly port: number;
  /** What carries the messages: also DTLS is "udp", TLS "tcp". */
  readonly protocol: "udp" | "tcp";
}

/** IPv4 addresses in IPv6 ones (RFC 4291 section 2.5.5.2). */
const IPV4_MAPPED = parsePrefix("::ffff:0:0/96")!;

const PROTOCOL: Readonly<Record<ExportDestination["protocol"], number>> = { udp: 17, tcp: 6 };

/**
 * Puts a list into force, instead of the one before, in the mapped `.data.exports` of the programs:
 * from then on each packet is compared with all of it. TOO_MANY_DESTINATIONS, BAD_ADDRESS.
 */
export function writeExports(
  mapping: ArrayBuffer,
  destinations: readonly ExportDestination[],
): void {
  const keys = [...new Map(destinations.map((one) => [keyOf(one).join(), keyOf(one)])).values()];
  if (keys.length > EXPORT_DESTINATIONS) {
    throw new IoamctlError(
      "TOO_MANY_DESTINATIONS",
      `export packets go to ${keys.length} places and the meter can leave out ${EXPORT_DESTINATIONS}: use fewer collectors`,
    );
  }
  const words = new Uint32Array(mapping, 0, layoutOf("exports").size / 4);
  const current = offsetOf("exports", "current") / 4;
  const latest = offsetOf("exports", "latest") / 4;
  if (keys.length === 0) {
    Atomics.store(words, current, 0);
    return;
  }
  const set = (Atomics.load(words, latest) % EXPORT_SETS) + 1;
  writeSet(mapping, set, keys);
  Atomics.store(words, latest, set);
  Atomics.store(words, current, set);
}

function writeSet(mapping: ArrayBuffer, set: number, keys: readonly bigint[][]): void {
  const at = offsetOf("exports", "sets") + (set - 1) * layoutOf("export_set").size;
  const list = at + offsetOf("export_set", "destinations");
  const { size } = layoutOf("export_destination");
  for (const [i, key] of keys.entries()) {
    new BigUint64Array(mapping, list + i * size, key.length).set(key);
  }
  new Uint32Array(mapping, at + offsetOf("export_set", "count"), 1)[0] = keys.length;
}

/** The words of struct export_destination. */
function keyOf({ address, port, protocol }: ExportDestination): bigint[] {
  const octets = addressOctets(address);
  const key = new Uint8Array(24);
  key.set(octets);
  const view = new DataView(key.buffer);
  view.setUint16(16, port);
  view.setUint8(18, PROTOCOL[protocol]);
  view.setUint8(19, FLOW_PORTS | (octets.length === 4 ? FLOW_IPV4 : 0));
  return [...new BigUint64Array(key.buffer)];
}

/** Of an IPv4 address in an IPv6 one (::ffff:192.0.2.1) those of IPv4, as its packets have them. */
function addressOctets(address: string): number[] {
  const octets = parseAddress(address.replace(/%.*$/, ""));
  if (octets === undefined) {
    const why = `${address} is not an address of a collector: give an IPv6 or IPv4 address`;
    throw new IoamctlError("BAD_ADDRESS", why);
  }
  return isInPrefix(octets, IPV4_MAPPED) ? octets.slice(12) : octets;
}
