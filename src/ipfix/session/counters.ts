// What an exporting process has done since it was made.

/**
 * Counters of an exporting process, over all its transport sessions; they only grow. Every record
 * handed over is in `records`, in `droppedRecords`, or still being sent; not the latter once `close`
 * has settled.
 */
export interface SessionCounters {
  /** Transport sessions that began. */
  sessions: number;
  /** Attempts to begin one that failed. */
  connectionFailures: number;
  /** Messages that the transport took, those with templates and options included. */
  messages: number;
  /** Of these, messages with templates or options. */
  templateMessages: number;
  /** Data records in them, without those of options. */
  records: number;
  /** Data records of options. */
  optionsRecords: number;
  /** Octets of the messages, IPFIX headers included, IP and UDP headers not. */
  octets: number;
  /** Data records that were not sent. */
  droppedRecords: number;
  /** Messages that were made and not sent, those with templates included. */
  droppedMessages: number;
  /** How often the collector's host said that nobody listens. What was sent before was lost. */
  refusals: number;
}

/** What was sent in one observation domain, over all transport sessions. */
export interface DomainCounters {
  /** Messages, those with templates and options included. */
  messages: number;
  /** Data records, without those of options. */
  records: number;
  /** Octets of the messages. */
  octets: number;
}

/** All counters at 0. */
export function newCounters(): SessionCounters {
  return {
    sessions: 0,
    connectionFailures: 0,
    messages: 0,
    templateMessages: 0,
    records: 0,
    optionsRecords: 0,
    octets: 0,
    droppedRecords: 0,
    droppedMessages: 0,
    refusals: 0,
  };
}
