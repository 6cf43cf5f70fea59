// What ended a DTLS session, or kept it from beginning, in words that say what to do.
import { X509Certificate } from "node:crypto";
import { IoamctlError } from "../../errors.ts";
import type { DtlsFailure } from "../../native/dtls.ts";
import { alertRefusal, certificateRefusal } from "./tls-failure.ts";
import type { PeerCheck } from "./tls-identity.ts";

/** OpenSSL's verdicts on a certificate (X509_V_ERR_…), as Node names them. */
const VERDICTS: Readonly<Record<number, string>> = {
  2: "UNABLE_TO_GET_ISSUER_CERT",
  7: "CERT_SIGNATURE_FAILURE",
  9: "CERT_NOT_YET_VALID",
  10: "CERT_HAS_EXPIRED",
  18: "DEPTH_ZERO_SELF_SIGNED_CERT",
  19: "SELF_SIGNED_CERT_IN_CHAIN",
  20: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  21: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  23: "CERT_REVOKED",
  26: "INVALID_PURPOSE",
};

const PROTOCOL_VERSION = 70;

/**
 * A handshake that failed: TLS_REFUSED, COLLECTOR_CLOSED, or the errno. `certificate`: the
 * collector's, DER, if it came to that.
 */
export function handshakeFailure(
  name: string,
  failure: DtlsFailure,
  certificate: Uint8Array | undefined,
  peer: PeerCheck,
): IoamctlError {
  if (failure.kind === "certificate" && VERDICTS[failure.number] === undefined && certificate) {
    const refusal = peer.check(new X509Certificate(certificate));
    if (refusal !== undefined) return refusal;
  }
  return sessionFailure(name, failure);
}

/** What ended a session: TLS_REFUSED, COLLECTOR_CLOSED, or the errno. */
export function sessionFailure(name: string, failure: DtlsFailure): IoamctlError {
  const { kind, reason, number } = failure;
  if (kind === "system") {
    const why =
      reason === "ECONNREFUSED"
        ? "nobody listens at the collector's port any more: look whether it runs"
        : "the session failed: check the path to the collector";
    return new IoamctlError(reason, `${name}: ${reason}: ${why}`);
  }
  if (kind === "closed") {
    const message = `${name}: the collector closed the session: look at its log`;
    return new IoamctlError("COLLECTOR_CLOSED", message);
  }
  return new IoamctlError("TLS_REFUSED", `${name}: ${refusal(kind, reason, number)}`);
}

function refusal(kind: DtlsFailure["kind"], reason: string, number: number): string {
  if (kind === "alert") {
    return number === PROTOCOL_VERSION
      ? "the collector refuses (protocol_version): it does not speak DTLS 1.2: update it"
      : alertRefusal(number);
  }
  if (kind === "certificate") {
    const verdict = certificateRefusal(VERDICTS[number] ?? "");
    return verdict ?? `the collector's certificate is not accepted (${reason}): check it, and ca`;
  }
  return `the collector does not speak DTLS 1.2 (${reason}): update it, or check its port`;
}
