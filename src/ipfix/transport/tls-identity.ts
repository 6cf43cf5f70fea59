// Who a collector has to be: its name (RFC 6125), and the list of those allowed (RFC 7011 section 11.3).
import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { IoamctlError } from "../../errors.ts";

/** What a collector's certificate is held against, beside the authority that issued it. */
export interface CollectorIdentity {
  /**
   * The name or address that the certificate must be for; default: the collector's host. A name is
   * searched among the DNS names of its subjectAltName (where there are none: its Common Name), an
   * address among the IP addresses.
   */
  serverName?: string;
  /**
   * The collectors allowed, one of which it must be as well: names (DNS name or Common Name, without
   * wildcards), addresses, or SHA-256 fingerprints of certificates in hexadecimal digits, with or
   * without colons. Default: any.
   */
  peers?: readonly string[];
}

/** Checks the certificates of one collector. */
export class PeerCheck {
  /** The name or address that the certificate must be for. */
  readonly reference: string;
  readonly #destination: string;
  readonly #peers: readonly string[] | undefined;

  /** `name` is the destination's, for messages. Throws DESTINATION_INVALID. */
  constructor(name: string, host: string, { serverName, peers }: CollectorIdentity) {
    this.#destination = name;
    this.reference = withoutZone(serverName ?? host);
    if (typeof serverName === "string" && !isName(serverName)) {
      throw invalid(name, `serverName ${JSON.stringify(serverName)} is neither name nor address`);
    }
    if (peers !== undefined && (!Array.isArray(peers) || peers.length === 0)) {
      throw invalid(name, "peers is an empty list, which no collector is in: leave it out for any");
    }
    this.#peers = peers?.map((peer) => normalized(name, peer));
  }

  /** Gives what is wrong with a collector's certificate: TLS_REFUSED; undefined: nothing. */
  check(certificate: X509Certificate): IoamctlError | undefined {
    if (!isFor(certificate, this.reference, { subject: "default" })) {
      const names = certificate.subjectAltName ?? certificate.subject.replaceAll("\n", ", ");
      return this.#refused(
        `the collector's certificate is for ${names}, not for ${this.reference}: give the name in it as serverName, or correct it there`,
      );
    }
    const fingerprint = certificate.fingerprint256.replaceAll(":", "");
    const allowed = this.#peers?.some(
      (peer) =>
        peer === fingerprint || isFor(certificate, peer, { subject: "always", wildcards: false }),
    );
    if (allowed !== false) return undefined;
    return this.#refused(
      `the collector is not among peers: add a name in its certificate, or its SHA-256 fingerprint ${fingerprint}`,
    );
  }

  #refused(why: string): IoamctlError {
    return new IoamctlError("TLS_REFUSED", `${this.#destination}: ${why}`);
  }
}

function isFor(
  certificate: X509Certificate,
  reference: string,
  how: { subject: "default" | "always"; wildcards?: boolean },
): boolean {
  if (isIP(reference) !== 0) return certificate.checkIP(reference) !== undefined;
  const name = reference.replace(/\.$/, "");
  return certificate.checkHost(name, { ...how, partialWildcards: false }) !== undefined;
}

/** The zone of a link-local address has a meaning on this host only. */
function withoutZone(reference: string): string {
  return isIP(reference) === 0 ? reference : reference.replace(/%.*$/, "");
}

function isName(name: string): boolean {
  return isIP(name) !== 0 || /^[^\s:%/]+$/.test(name);
}

function normalized(name: string, peer: unknown): string {
  const fingerprint = String(peer).replaceAll(":", "");
  if (/^[0-9a-fA-F]{64}$/.test(fingerprint)) return fingerprint.toUpperCase();
  if (typeof peer === "string" && (isIP(peer) !== 0 || /^[^:\n]+$/.test(peer))) {
    return withoutZone(peer);
  }
  throw invalid(
    name,
    `${JSON.stringify(peer)} in peers is neither a name nor an address nor a SHA-256 fingerprint (64 hexadecimal digits)`,
  );
}

function invalid(name: string, why: string): IoamctlError {
  return new IoamctlError("DESTINATION_INVALID", `${name}: ${why}`);
}
