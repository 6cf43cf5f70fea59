// What a TLS failure means, and what to do about it.
import { IoamctlError } from "../../errors.ts";
import { type Explain, explainTcp } from "./stream-transport.ts";

const CERTIFICATE = "this exporter's certificate";
const CHECK_CERT = "check cert and key, and the collector's log";

/** Alerts by their number (RFC 8446 section 6.2): name, and what they tell an exporter. */
const ALERTS: ReadonlyMap<number, readonly [name: string, meaning: string]> = new Map([
  [10, ["unexpected_message", ""]],
  [20, ["bad_record_mac", ""]],
  [22, ["record_overflow", ""]],
  [
    40,
    [
      "handshake_failure",
      `either it does not accept ${CERTIFICATE}, or there is no cipher that both know`,
    ],
  ],
  [42, ["bad_certificate", `it does not accept ${CERTIFICATE}: ${CHECK_CERT}`]],
  [
    43,
    [
      "unsupported_certificate",
      `${CERTIFICATE} is not one for clients: issue it with clientAuth in its extended key usage`,
    ],
  ],
  [44, ["certificate_revoked", `${CERTIFICATE} was revoked: get a new one`]],
  [45, ["certificate_expired", `${CERTIFICATE} has expired by its clock: renew cert`]],
  [46, ["certificate_unknown", `it does not accept ${CERTIFICATE}: ${CHECK_CERT}`]],
  [47, ["illegal_parameter", ""]],
  [
    48,
    [
      "unknown_ca",
      `it does not know the authority of ${CERTIFICATE}: use a cert that it trusts, or give it that authority`,
    ],
  ],
  [49, ["access_denied", `it does not let the holder of ${CERTIFICATE} in: allow it there`]],
  [50, ["decode_error", ""]],
  [51, ["decrypt_error", `it does not accept ${CERTIFICATE}: ${CHECK_CERT}`]],
  [70, ["protocol_version", "it speaks neither TLS 1.2 nor 1.3: update it"]],
  [71, ["insufficient_security", "it wants stronger ciphers or keys"]],
  [80, ["internal_error", ""]],
  [90, ["user_canceled", ""]],
  [109, ["missing_extension", ""]],
  [110, ["unsupported_extension", ""]],
  [112, ["unrecognized_name", "it has no certificate for that name: check serverName"]],
  [113, ["bad_certificate_status_response", ""]],
  [
    116,
    [
      "certificate_required",
      `it got no certificate: its kinds of signature do not fit ${CERTIFICATE}`,
    ],
  ],
  [120, ["no_application_protocol", ""]],
]);

/** Our own verdict on the collector's certificate chain, by OpenSSL's name of it. */
const VERDICTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "has expired: renew it there, or check this host's clock",
  CERT_NOT_YET_VALID: "is not valid yet: check the clocks of both hosts",
  CERT_REVOKED: "was revoked: renew it there",
  INVALID_PURPOSE: "is not one for servers: issue it with serverAuth in its extended key usage",
  CERT_SIGNATURE_FAILURE: "is not from an authority in ca: give the one that issued it",
  DEPTH_ZERO_SELF_SIGNED_CERT:
    "is self-signed and not in ca: give the authority that issued it, or it",
  SELF_SIGNED_CERT_IN_CHAIN: "is not from an authority in ca: give the one that issued it",
  UNABLE_TO_GET_ISSUER_CERT: "is not from an authority in ca: give the one that issued it",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "is not from an authority in ca: give the one that issued it",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "is not from an authority in ca: give the one that issued it, or let the collector send those between",
};

/** What OpenSSL finds where no TLS is spoken. */
const NO_TLS =
  /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNEXPECTED_MESSAGE|RECORD_TOO_SMALL/;

/** What ended a TLS handshake or session, as TLS_REFUSED unless TCP's errno says it all. */
export function explainTls(name: string): Explain {
  const tcp = explainTcp(name);
  return (error) => {
    if (error instanceof IoamctlError) return error;
    const code = error.code ?? "";
    const why = refusal(code, error.message);
    if (why === undefined) return tcp(error);
    return new IoamctlError("TLS_REFUSED", `${name}: ${why}`, { cause: error });
  };
}

/** What a collector says by a fatal alert, and what to do. */
export function alertRefusal(number: number): string {
  const [alert, meaning] = ALERTS.get(number) ?? [`alert ${number}`, ""];
  return `the collector refuses (${alert}): ${meaning === "" ? "look at its log" : meaning}`;
}

/** Our verdict on the collector's certificate, by OpenSSL's name of it; undefined: none of these. */
export function certificateRefusal(code: string): string | undefined {
  const verdict = VERDICTS[code];
  return verdict === undefined ? undefined : `the collector's certificate ${verdict} (${code})`;
}

function refusal(code: string, message: string): string | undefined {
  const verdict = certificateRefusal(code);
  if (verdict !== undefined) return verdict;
  const number = /SSL alert number (\d+)/.exec(message)?.[1];
  if (number !== undefined) return alertRefusal(Number(number));
  if (code === "ERR_SSL_UNSUPPORTED_PROTOCOL") {
    return `the collector speaks neither TLS 1.2 nor 1.3 (${code}): update it`;
  }
  if (NO_TLS.test(code)) return `the collector does not speak TLS on this port (${code}): check it`;
  if (/^(ERR_SSL_|ERR_TLS_|EPROTO$)|CERT/.test(code)) return `TLS failed with ${code}`;
  return undefined;
}
