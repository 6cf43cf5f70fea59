// What an exporting process needs of a transport.

/**
 * Takes IPFIX messages to one collector. Errors are IoamctlErrors whose code is the errno's name;
 * the exporting process counts what they cost and goes on.
 */
export interface Transport {
  /** Octets of a packet that are not the message: IP and UDP headers. */
  readonly headerLength: number;
  /** Octets of the largest packet that the path takes whole; undefined when nobody knows. */
  pathMtu(): number | undefined;
  /**
   * Sends the messages in `length` octets of `buffer` from `offset` on, each `messageLength` octets
   * long, the last may be shorter. Gives the octets of the messages taken, which may be fewer, but
   * never part of one; 0: wait for `writable` and try again. The buffer is free again afterwards.
   */
  send(
    buffer: Uint8Array,
    offset: number,
    length: number,
    messageLength: number,
  ): number | Promise<number>;
  /** Settles when another `send` is worth a try. */
  writable(): Promise<void>;
  /** Safe to repeat. */
  close(): void;
}
