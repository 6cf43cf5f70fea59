// IPFIX over DTLS 1.2 (RFC 7011 sections 10.3 and 11): UDP, and each side's certificate checked.
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { IoamctlError } from "../../errors.ts";
import {
  checkDtlsMaterial,
  type DtlsMaterial,
  type DtlsSession,
  openDtls,
} from "../../native/dtls.ts";
import { Attempt } from "./attempt.ts";
import type { Destination } from "./destination.ts";
import {
  checkEndpoint,
  checkInteger,
  checkRetry,
  checkTime,
  collectorName,
} from "./destination-options.ts";
import { handshakeFailure } from "./dtls-failure.ts";
import { DtlsTransport } from "./dtls-transport.ts";
import { addressesWithin, type Lookup, systemLookup } from "./name-lookup.ts";
import { IPFIXS_PORT } from "./tls.ts";
import { type CollectorIdentity, PeerCheck } from "./tls-identity.ts";
import { readTlsMaterial, readTlsMaterialSync, type TlsCredentials } from "./tls-material.ts";
import type { Transport } from "./transport.ts";
import { LARGEST_SEND_BUFFER } from "./udp.ts";
import { type AddressFailure, unreachable } from "./unreachable.ts";

/** A collector that listens on DTLS. */
export interface DtlsOptions extends TlsCredentials, CollectorIdentity {
  /**
   * Address or name; a link-local IPv6 address with its zone ("fe80::1%eth0"). The addresses of a
   * name are tried one after another.
   */
  host: string;
  /** Default: 4740. */
  port?: number;
  /** Milliseconds for a session to begin, from the look-up of the name on; default: 10 000. */
  connectTimeout?: number;
  /**
   * Milliseconds after which a session is followed by a new one, which begins before the old one
   * ends. It bounds how long records go to a collector that has lost the session without a sign.
   * Default: 600 000; Infinity: never.
   */
  sessionLifetime?: number;
  /** Octets of the socket's send buffer; default: the system's. */
  sendBuffer?: number;
  /** Default: 10 000 at first, 60 000 at most. */
  retry?: Destination["retry"];
  /** Resolves the name; default: as this host does. */
  lookup?: Lookup;
}

/** Milliseconds after which a session that was to follow another is given up: nobody wants it. */
const CLAIM = 1000;

/**
 * A collector over DTLS 1.2 with mutual authentication. Throws DESTINATION_INVALID for options that
 * cannot be, TLS_MATERIAL_INVALID for certificates and keys that cannot be used, DTLS_UNAVAILABLE
 * where this Node has no DTLS, NATIVE_MISSING where the addon was not built. Files are read again for
 * each session.
 *
 * `connect` rejects with COLLECTOR_UNKNOWN, COLLECTOR_UNREACHABLE, TLS_MATERIAL_INVALID, TLS_REFUSED
 * when either side does not accept the other, CONNECT_ABORTED when given up. A session ends with
 * COLLECTOR_CLOSED, with TLS_REFUSED at an alert, with ECONNREFUSED when the collector is gone.
 */
export function dtlsDestination(options: DtlsOptions): Destination {
  return new Collector(options);
}

class Collector implements Destination {
  readonly name: string;
  readonly retry: Destination["retry"];
  readonly #peer: PeerCheck;
  readonly #credentials: TlsCredentials;
  readonly #options: Required<Pick<DtlsOptions, "host" | "port" | "connectTimeout" | "lookup">> &
    Pick<DtlsOptions, "sendBuffer">;
  readonly #lifetime: number;
  /** A session that has begun and that nobody uses yet. */
  #successor: DtlsTransport | undefined;

  constructor(options: DtlsOptions) {
    const { host, port = IPFIXS_PORT, connectTimeout = 10_000, lookup = systemLookup } = options;
    const { retry = { first: 10_000, most: 60_000 }, sessionLifetime = 600_000 } = options;
    const { sendBuffer, ca, cert, key, passphrase } = options;
    checkEndpoint(host, port);
    checkTime("connectTimeout", connectTimeout);
    checkRetry(retry);
    if (sessionLifetime !== Number.POSITIVE_INFINITY) {
      checkTime("sessionLifetime", sessionLifetime);
    }
    if (sendBuffer !== undefined) checkInteger("sendBuffer", sendBuffer, 1, LARGEST_SEND_BUFFER);
    this.name = collectorName("dtls", host, port);
    this.retry = retry;
    this.#options = {
      ...{ host, port, connectTimeout, lookup },
      ...(sendBuffer === undefined ? {} : { sendBuffer }),
    };
    this.#lifetime = sessionLifetime;
    this.#peer = new PeerCheck(this.name, host, options);
    // A later change of the caller's object is no change of ours.
    this.#credentials = { ca, cert, key, ...(passphrase === undefined ? {} : { passphrase }) };
    checkDtlsMaterial(readTlsMaterialSync(this.name, this.#credentials, { clock: false }));
  }

  async connect(signal: AbortSignal): Promise<Transport> {
    const successor = this.#successor;
    this.#successor = undefined;
    const transport = successor?.isOver === false ? successor : await this.#begin(signal);
    transport.limit(this.#lifetime, (closing) => this.#renew(closing, transport.peer.address));
    return transport;
  }

  /** `known`: the collector's addresses, where its name is not to be looked up. */
  async #begin(signal: AbortSignal, known?: readonly string[]): Promise<DtlsTransport> {
    const { name } = this;
    const { host, connectTimeout, lookup } = this.#options;
    const attempt = new Attempt(name, connectTimeout, signal);
    const material = await readTlsMaterial(name, this.#credentials);
    const addresses = known ?? (await addressesWithin(attempt, host, lookup));
    const failures: AddressFailure[] = [];
    for (const [i, address] of addresses.entries()) {
      const share = attempt.left / (addresses.length - i);
      try {
        return await this.#shakeHands(address, material, attempt, share);
      } catch (cause) {
        const { code = "" } = cause as { code?: string };
        if (!/^E[A-Z0-9]+$/.test(code)) throw cause;
        failures.push({ address, code, cause });
      }
    }
    throw unreachable({ name, connectTimeout }, failures);
  }

  async #shakeHands(
    address: string,
    material: DtlsMaterial,
    attempt: Attempt,
    time: number,
  ): Promise<DtlsTransport> {
    const session = this.#open(address, material);
    try {
      const late = (): never => {
        throw new IoamctlError("ETIMEDOUT", `${address}: no answer`);
      };
      const failure = await attempt.within(session.connected, late, time);
      const certificate = session.peerCertificate();
      if (failure !== undefined) {
        throw handshakeFailure(this.name, failure, certificate, this.#peer);
      }
      const refusal = this.#peer.check(new X509Certificate(certificate!));
      if (refusal !== undefined) throw refusal;
    } catch (error) {
      session.close();
      throw error;
    }
    const { port } = this.#options;
    return new DtlsTransport(session, this.name, { address, port, protocol: "udp" });
  }

  #open(address: string, material: DtlsMaterial): DtlsSession {
    const { port, sendBuffer } = this.#options;
    const name = this.#peer.reference.replace(/\.$/, "");
    return openDtls({
      ...material,
      ...{ address, port, family: isIP(address) === 6 ? 6 : 4 },
      ...{ name, nameIsAddress: isIP(name) !== 0 },
      ...(sendBuffer === undefined ? {} : { sendBuffer }),
    });
  }

  /** Begins the session that the next call of `connect` gives; `address` is that of the present one. */
  async #renew(signal: AbortSignal, address: string): Promise<void> {
    const successor = await this.#begin(signal).catch((error: IoamctlError) => {
      if (error.code !== "COLLECTOR_UNKNOWN") throw error;
      // The name does not resolve any more, or not now: the address there is may still be right.
      return this.#begin(signal, [address]);
    });
    if (signal.aborted) return successor.close();
    this.#successor?.close();
    this.#successor = successor;
    const discard = (): void => {
      if (this.#successor !== successor) return;
      this.#successor = undefined;
      successor.close();
    };
    setTimeout(discard, CLAIM).unref();
  }
}
