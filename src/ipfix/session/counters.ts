// What an exporting process has done since it was made.

/** Counters of one transport session; they only grow. */
export interface SessionCounters {
  /** Messages that the transport took, those with templates included. */
  messages: number;
  /** Of these, messages with templates. */
  templateMessages: number;
  /** Data records in them. */
  records: number;
  /** Octets of the messages, IPFIX headers included, IP and UDP headers not. */
  octets: number;
  /** Data records that were not sent. */
  droppedRecords: number;
  /** Messages that were not sent, those with templates included. */
  droppedMessages: number;
  /** How often the collector's host said that nobody listens. What was sent before was lost. */
  refusals: number;
}

/** All counters at 0. */
export function newCounters(): SessionCounters {
  return {
    messages: 0,
    templateMessages: 0,
    records: 0,
    octets: 0,
    droppedRecords: 0,
    droppedMessages: 0,
    refusals: 0,
  };
}
