// Where messages go: a collector or a file, to which transport sessions are opened again and again.
import type { Transport } from "./transport.ts";

/** A destination of an exporting process (RFC 6728 section 4.4). */
export interface Destination {
  /** For messages and counters, with the protocol first: "tcp [2001:db8::1]:4739", "file /var/…". */
  readonly name: string;
  /**
   * Opens a transport session. Rejects with an IoamctlError: COLLECTOR_UNKNOWN when the name does not
   * resolve, COLLECTOR_UNREACHABLE when there is no way to it, it refuses or does not answer in time,
   * TLS_REFUSED when either side does not accept the other. `signal` ends the attempt.
   */
  connect(signal: AbortSignal): Promise<Transport>;
  /**
   * Milliseconds from the beginning of one attempt to that of the next: at first, and at most, after
   * doubling. A session that ended in order is followed by another at once.
   */
  readonly retry: { readonly first: number; readonly most: number };
}
