// IPFIX over TLS (RFC 7011 sections 10.4 and 11): TCP, and each side's certificate checked.
import { constants, X509Certificate } from "node:crypto";
import { isIP, type Socket } from "node:net";
import { connect, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { IoamctlError } from "../../errors.ts";
import { Attempt } from "./attempt.ts";
import type { Destination } from "./destination.ts";
import { connectStream } from "./stream-connect.ts";
import { type StreamOptions, streamTarget } from "./stream-target.ts";
import { StreamTransport } from "./stream-transport.ts";
import { explainTls } from "./tls-failure.ts";
import { type CollectorIdentity, PeerCheck } from "./tls-identity.ts";
import {
  readTlsMaterial,
  readTlsMaterialSync,
  type TlsCredentials,
  type TlsMaterial,
} from "./tls-material.ts";

/** IANA's port for IPFIX over TLS and DTLS. */
export const IPFIXS_PORT = 4740;

/** A collector that listens on TLS. */
export interface TlsOptions extends StreamOptions, TlsCredentials, CollectorIdentity {}

/**
 * Milliseconds to wait, over TLS 1.3, for a collector's word on our certificate: there the handshake
 * ends for a client before the server has seen it.
 */
const VERDICT = 1000;

/**
 * A collector over TLS 1.2 or 1.3 with mutual authentication. Throws DESTINATION_INVALID for options
 * that cannot be, TLS_MATERIAL_INVALID for certificates and keys that cannot be used. Files are read
 * again for each session. `connect` rejects as that of `tcpDestination`, and with
 * TLS_MATERIAL_INVALID, or TLS_REFUSED when either side does not accept the other; a session ends
 * with TLS_REFUSED too when the collector sends an alert.
 */
export function tlsDestination(options: TlsOptions): Destination {
  const target = streamTarget("tls", options, IPFIXS_PORT);
  const { name, host, connectTimeout, retry } = target;
  const peer = new PeerCheck(name, host, options);
  // A later change of the caller's object is no change of ours.
  const { ca, cert, key, passphrase } = options;
  const credentials = { ca, cert, key, ...(passphrase === undefined ? {} : { passphrase }) };
  secureContext(name, readTlsMaterialSync(name, credentials, { clock: false }));
  return {
    name,
    retry,
    connect: async (signal) => {
      const attempt = new Attempt(name, connectTimeout, signal);
      const context = secureContext(name, await readTlsMaterial(name, credentials));
      const socket = start(await connectStream(target, attempt), context, peer);
      const transport = new StreamTransport(socket, name, explainTls(name));
      try {
        await accepted(socket, transport, attempt, name);
      } catch (error) {
        socket.destroy();
        throw error;
      }
      return transport;
    },
  };
}

function secureContext(name: string, material: TlsMaterial): SecureContext {
  try {
    return createSecureContext({
      ...material,
      minVersion: "TLSv1.2",
      maxVersion: "TLSv1.3",
      // The certificate of a second handshake would not be checked.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    });
  } catch (cause) {
    const { code = "" } = cause as { code?: string };
    throw new IoamctlError(
      "TLS_MATERIAL_INVALID",
      `${name}: OpenSSL does not take certificate and key (${code}): make stronger ones`,
      { cause },
    );
  }
}

function start(socket: Socket, secureContext: SecureContext, peer: PeerCheck): TLSSocket {
  return connect({
    socket,
    secureContext,
    // Said although it is the default: an environment variable changes that one.
    rejectUnauthorized: true,
    // Only names may be announced (RFC 6066 section 3).
    servername: isIP(peer.reference) === 0 ? peer.reference : "",
    checkServerIdentity: (_, { raw }) => peer.check(new X509Certificate(raw)),
  });
}

/**
 * Settles when either side has accepted the other, as far as that shows. Over TLS 1.2 the end of the
 * handshake tells. Over TLS 1.3 a session ticket tells, since a server sends it when it has checked
 * our side; from one that sends none, silence has to do.
 */
async function accepted(
  socket: TLSSocket,
  transport: StreamTransport,
  attempt: Attempt,
  name: string,
): Promise<void> {
  // Events come from within OpenSSL, which is not to be called again before it has returned: a write
  // in answer to a session ticket would spoil the stream.
  const happened = (event: string): Promise<unknown> =>
    new Promise((resolve) => socket.once(event, () => setImmediate(resolve)));
  const ended = transport.ended.then((reason) => {
    throw ["COLLECTOR_CLOSED", "ECONNRESET", "EPIPE"].includes(reason?.code ?? "")
      ? closedEarly(name, reason)
      : reason;
  });
  // Nobody waits for it any more when the session has begun.
  ended.catch(() => {});
  const ticket = happened("session");
  await attempt.within(Promise.race([ended, happened("secureConnect")]), () => noHandshake(name));
  if (socket.getProtocol() !== "TLSv1.3") return;
  await attempt.within(Promise.race([ended, ticket]), () => {}, VERDICT);
}

function noHandshake(name: string): never {
  throw new IoamctlError(
    "COLLECTOR_UNREACHABLE",
    `${name}: the collector took the connection but does not answer in TLS: check that this is its TLS port, and that it runs`,
  );
}

function closedEarly(name: string, cause: unknown): IoamctlError {
  return new IoamctlError(
    "COLLECTOR_UNREACHABLE",
    `${name}: the collector closed the connection in the TLS handshake: check that this is its TLS port, and look at its log`,
    { cause },
  );
}
