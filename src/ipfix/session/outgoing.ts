// What the exporting process sends in one go.

/** Messages of one length (the last may be shorter) that lie one behind the other. */
export interface Outgoing {
  readonly bytes: Uint8Array;
  readonly observationDomainId: number;
  /** Templates and options that the exporting process sends by itself, and not data. */
  readonly isAnnouncement: boolean;
  readonly messageLength: number;
  /** Octets of all messages. */
  readonly octets: number;
  /** Data records in the messages that lie before an octet. */
  recordsBefore(octet: number): number;
  /** Writes time, sequence number and observation domain into the messages from an octet on. */
  stamp(from: number, seconds: number, sequence: number): void;
}
