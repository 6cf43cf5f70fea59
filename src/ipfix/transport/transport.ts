// What an exporting process needs of a transport: one transport session (RFC 7011 section 2).
import type { IoamctlError } from "../../errors.ts";

/** The other end of a session. */
export interface Peer {
  /** Numeric; an IPv6 address may have a zone ("fe80::1%eth0"). */
  readonly address: string;
  readonly port: number;
  readonly protocol: "udp" | "tcp";
}

/**
 * Takes IPFIX messages to one collector. Errors are IoamctlErrors whose code is the errno's name or
 * one of its own; the exporting process counts what they cost and goes on.
 */
export interface Transport {
  /** Octets of a packet that are not the message: IP and UDP headers. 0 for streams and files. */
  readonly headerLength: number;
  /**
   * Whether what was taken arrives, in order, or the session ends (TCP, TLS, files): templates then
   * are sent once a session. Otherwise (UDP, DTLS) they are repeated.
   */
  readonly reliable: boolean;
  /** Whether templates can be withdrawn in it (RFC 7011 section 8.1): over TCP and TLS alone. */
  readonly takesWithdrawals?: boolean;
  /** Whose packets carry the messages: DTLS's are UDP's, TLS's are TCP's. Files have none. */
  readonly peer?: Peer | undefined;
  /** Octets of the largest packet that the path takes whole; undefined when nobody knows. */
  pathMtu(): number | undefined;
  /**
   * Sends the messages in `length` octets of `buffer` from `offset` on, each `messageLength` octets
   * long, the last may be shorter. Gives the octets of the messages taken, which may be fewer, but
   * never part of one; 0: wait for `writable` and try again. The buffer is free again afterwards.
   * Throws or rejects when none was taken; where that was the session's end, `ended` settles too.
   */
  send(
    buffer: Uint8Array,
    offset: number,
    length: number,
    messageLength: number,
  ): number | Promise<number>;
  /** Settles when another `send` is worth a try. */
  writable(): Promise<void>;
  /**
   * Settles when the session is over without `close`, even while idle: with the reason, or with
   * undefined when that was in order and the next session should begin at once (a file that was
   * rotated, a name that resolves to another address). Never rejects.
   */
  readonly ended: Promise<IoamctlError | undefined>;
  /** Ends the session: what was taken is still delivered where the transport can. Safe to repeat. */
  close(): void | Promise<void>;
}
