// Front of the dtls addon: DTLS 1.2 sessions, as a client, on the OpenSSL that Node itself brings.

import { getSystemErrorName } from "node:util";
import { IoamctlError } from "../errors.ts";
import { loadAddon } from "./load-addon.ts";

/** Why a session is over. */
export interface DtlsFailure {
  /**
   * "alert": the peer's fatal alert. "certificate": the peer's is not accepted. "protocol": both do
   * not come together. "closed": the peer has ended the session in order. "system": a system call
   * failed.
   */
  kind: "alert" | "certificate" | "protocol" | "closed" | "system";
  /** In OpenSSL's words ("unknown CA"), or the errno's name. */
  reason: string;
  /** That of the alert (RFC 5246 section 7.2), of OpenSSL's verdict on the certificate, the errno. */
  number: number;
}

/** What a session shows and trusts, all in PEM. */
export interface DtlsMaterial {
  /** Certificates of the authorities trusted. */
  ca: string;
  /** Our certificate and those between it and its authority. */
  cert: string;
  /** Its private key, not encrypted. */
  key: string;
}

/** To whom, and with what. */
export interface DtlsOptions extends DtlsMaterial {
  /** Numeric; a link-local IPv6 address with its zone ("fe80::1%eth0"). */
  address: string;
  port: number;
  family: 4 | 6;
  /** Octets of the socket's send buffer; default: the system's. */
  sendBuffer?: number;
  /** Whom the peer's certificate has to be for: a name, or a numeric address. */
  name: string;
  nameIsAddress: boolean;
}

/** A session; it never blocks. Once it is open, only a wait for room keeps the process alive. */
export interface DtlsSession {
  /** Settles at the end of the handshake: with undefined when it succeeded, else with what failed. */
  readonly connected: Promise<DtlsFailure | undefined>;
  /** Settles when the open session is over without `close`. */
  readonly over: Promise<DtlsFailure>;
  /** The peer's, DER, whether accepted or not; undefined while it has shown none. */
  peerCertificate(): Uint8Array | undefined;
  /** Octets of a packet that are not the message: IP, UDP, DTLS. Of an open session. */
  readonly headerLength: number;
  /** Octets of the largest IP packet to the peer, as far as the kernel knows. */
  pathMtu(): number | undefined;
  /**
   * Encrypts and sends `length` octets from `offset` on as messages of `segment` octets, the last may
   * be shorter: each is one record in one datagram. Returns the octets of the messages that the kernel
   * took; 0 when the socket is full. Throws IoamctlError with the errno's name as code when it took
   * none: EBADF once the session is over.
   */
  send(buffer: Uint8Array, offset: number, length: number, segment: number): number;
  /** Settles when the socket has room again, or the session is over. */
  writable(): Promise<void>;
  /** Tells the peer and closes the socket; what waits for room goes on, and fails. Safe to repeat. */
  close(): void;
}

/** Octets of the longest message: what one record takes (RFC 6347 section 4.1). */
export const MAX_DTLS_MESSAGE = 16384;

interface NativeSession {
  readonly state: "handshake" | "open" | "over";
  readonly failure: DtlsFailure | undefined;
  readonly headerLength: number;
  send(buffer: Uint8Array, offset: number, length: number, segment: number): number;
  awaitRoom(): void;
  peerCertificate(): Uint8Array | undefined;
  pathMtu(): number;
  close(): void;
}

type NativeEvent = "connected" | "room" | "over";

interface NativeClass {
  new (
    options: Omit<DtlsOptions, "sendBuffer"> & { sendBuffer: number },
    callback: (event: NativeEvent) => void,
  ): NativeSession;
  checkMaterial(material: DtlsMaterial): void;
}

interface Addon {
  Session: NativeClass;
  openssl: Openssl;
}

/** The OpenSSL of the node process; versions as OpenSSL numbers them. */
interface Openssl {
  /** A function that it should have, and has not. */
  missing?: string;
  /** That of the headers which the addon was built with. */
  built: number;
  running: number;
}

let addon: Addon | undefined;

/**
 * Loads the addon. Throws DTLS_UNAVAILABLE when this Node has no DTLS, or another OpenSSL than the
 * addon was built for; NATIVE_MISSING when it was not built. `directory`: where the addon is.
 */
export function loadDtls(directory?: string): void {
  if (addon !== undefined && directory === undefined) return;
  const loaded = loadAddon("dtls", directory) as Addon;
  checkOpenssl(loaded.openssl);
  addon = loaded;
}

/** Throws DTLS_UNAVAILABLE when the addon cannot be used on it. */
export function checkOpenssl({ missing, built, running }: Openssl): void {
  if (missing !== undefined) {
    throw unavailable(
      `has no DTLS (its OpenSSL lacks ${missing}): use Node.js as https://nodejs.org offers it, or export over TLS`,
    );
  }
  // Within a major version OpenSSL keeps its interface, and only adds to it.
  if (major(built) !== major(running) || minor(built) > minor(running)) {
    throw unavailable(
      `runs OpenSSL ${version(running)}, the dtls addon was built for ${version(built)}: run make build with this Node`,
    );
  }
}

/** Throws TLS_MATERIAL_INVALID when no session can be made of it, and what `loadDtls` does. */
export function checkDtlsMaterial(material: DtlsMaterial): void {
  loadDtls();
  try {
    addon!.Session.checkMaterial(material);
  } catch (error) {
    throw openingFailure(error as Error & NativeError);
  }
}

/**
 * Begins a session: connects a socket, sends the first flight. Throws what `loadDtls` does,
 * TLS_MATERIAL_INVALID when a certificate or the key cannot be used, and an IoamctlError with the
 * errno's name as code when the peer's network cannot be reached.
 */
export function openDtls(options: DtlsOptions): DtlsSession {
  loadDtls();
  return new Session(addon!, options);
}

class Session implements DtlsSession {
  readonly connected: Promise<DtlsFailure | undefined>;
  readonly over: Promise<DtlsFailure>;
  readonly #native: NativeSession;
  #connected!: (failure: DtlsFailure | undefined) => void;
  #over!: (failure: DtlsFailure) => void;
  #wait: { settled: Promise<void>; settle: () => void } | undefined;

  constructor({ Session }: Addon, options: DtlsOptions) {
    this.connected = new Promise((resolve) => {
      this.#connected = resolve;
    });
    this.over = new Promise((resolve) => {
      this.#over = resolve;
    });
    try {
      this.#native = new Session({ ...options, sendBuffer: options.sendBuffer ?? 0 }, (event) => {
        if (event === "connected") this.#connected(undefined);
        else if (event === "room") this.#endWait();
        else this.#end();
      });
    } catch (error) {
      throw openingFailure(error as Error & NativeError);
    }
    // Told by no event: what the first try already came to.
    if (this.#native.state === "open") this.#connected(undefined);
    else if (this.#native.state === "over") this.#end();
  }

  peerCertificate(): Uint8Array | undefined {
    return this.#native.peerCertificate();
  }

  get headerLength(): number {
    return this.#native.headerLength;
  }

  pathMtu(): number | undefined {
    return this.#native.pathMtu() || undefined;
  }

  send(buffer: Uint8Array, offset: number, length: number, segment: number): number {
    const taken = this.#native.send(buffer, offset, length, segment);
    if (this.#native.state === "over") this.#end();
    if (taken >= 0) return taken;
    const name = getSystemErrorName(taken);
    throw new IoamctlError(name, `DTLS session: send failed with ${name}`);
  }

  writable(): Promise<void> {
    if (this.#native.state === "over") return Promise.resolve();
    if (this.#wait === undefined) {
      let settle!: () => void;
      const settled = new Promise<void>((resolve) => {
        settle = resolve;
      });
      this.#wait = { settled, settle };
      this.#native.awaitRoom();
    }
    return this.#wait.settled;
  }

  close(): void {
    this.#native.close();
    this.#endWait();
  }

  #end(): void {
    const { failure } = this.#native;
    if (failure !== undefined) {
      const { kind, number } = failure;
      const told =
        kind === "system" ? { ...failure, reason: getSystemErrorName(-number) } : failure;
      this.#connected(told);
      this.#over(told);
    }
    this.#endWait();
  }

  #endWait(): void {
    this.#wait?.settle();
    this.#wait = undefined;
  }
}

/** What the addon's constructor throws. */
type NativeError =
  | { errno: number; syscall: string }
  | { part: "ca" | "cert" | "key"; reason: string };

const PARTS = { ca: "the CA certificates", cert: "the certificate", key: "the private key" };

function openingFailure(error: Error & NativeError): Error {
  if ("part" in error) {
    return new IoamctlError(
      "TLS_MATERIAL_INVALID",
      `OpenSSL does not take ${PARTS[error.part] ?? "DTLS 1.2"} (${error.reason}): make stronger ones`,
      { cause: error },
    );
  }
  if (!("errno" in error)) return error;
  const name = getSystemErrorName(-error.errno);
  return new IoamctlError(name, `DTLS session: ${error.syscall} failed with ${name}`, {
    cause: error,
  });
}

function unavailable(why: string): IoamctlError {
  return new IoamctlError("DTLS_UNAVAILABLE", `this Node.js (${process.version}) ${why}`);
}

/** OpenSSL's version numbers: 0xMNN00PP0. */
const major = (number: number): number => number >>> 28;
const minor = (number: number): number => (number >>> 20) & 0xff;
const version = (number: number): string => `${major(number)}.${minor(number)}`;
