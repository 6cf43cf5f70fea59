// Walks the messages of an IPFIX session: headers, templates and record counts (RFC 7011), no values.

const TEMPLATES = 2;
const OPTIONS_TEMPLATES = 3;
const VARIABLE = 0xffff;

export interface Message {
  octets: Uint8Array;
  /** Unix seconds. */
  exportTime: number;
  sequence: number;
  domain: number;
}

export interface MessageFacts {
  messages: number;
  octets: number;
  /** Data records, without those of options templates. */
  records: number;
  /** Data records of options templates. */
  optionsRecords: number;
  templates: number;
  /** Messages whose sequence number is not the records before, from 0 on: none is right. */
  gaps: { domain: number; message: number; expected: number; found: number }[];
  /** Sets whose template was not known: none is right. */
  unknownSets: number;
}

interface RecordShape {
  /** Octets of each field; VARIABLE where the record tells. */
  lengths: number[];
  /** Of an options template. */
  options: boolean;
}

/** The messages that stand one after another in a file or a datagram. */
export function* messages(octets: Uint8Array): Generator<Message> {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  for (let at = 0; at < octets.length; ) {
    const length = at + 16 <= octets.length ? view.getUint16(at + 2) : 0;
    if (length < 16 || at + length > octets.length || view.getUint16(at) !== 10) {
      throw new Error(`no IPFIX message at octet ${at} of ${octets.length}`);
    }
    yield {
      octets: octets.subarray(at, at + length),
      exportTime: view.getUint32(at + 4),
      sequence: view.getUint32(at + 8),
      domain: view.getUint32(at + 12),
    };
    at += length;
  }
}

/** The messages of a session that broke off: the last one is left out where it is cut off. */
export function* wholeMessages(octets: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  for (let at = 0; at + 4 <= octets.length; ) {
    const end = at + view.getUint16(at + 2);
    if (view.getUint16(at) !== 10 || end < at + 16) throw new Error(`no message at octet ${at}`);
    if (end > octets.length) return;
    yield octets.subarray(at, end);
    at = end;
  }
}

/** Reads the template records of a set into `known`; the number of them. */
function readTemplates(view: DataView, options: boolean, known: Map<number, RecordShape>): number {
  let count = 0;
  for (let at = 4; at + 4 <= view.byteLength; count++) {
    const id = view.getUint16(at);
    if (id === 0) break; // padding
    const fields = view.getUint16(at + 2);
    at += options ? 6 : 4;
    const lengths: number[] = [];
    for (let i = 0; i < fields; i++) {
      lengths.push(view.getUint16(at + 2));
      at += view.getUint16(at) & 0x8000 ? 8 : 4;
    }
    known.set(id, { lengths, options });
  }
  return count;
}

/** Records in a data set: as many as fit, what is left is padding. */
function countRecords(view: DataView, { lengths }: RecordShape): number {
  const least = lengths.reduce((sum, length) => sum + (length === VARIABLE ? 1 : length), 0);
  let count = 0;
  for (let at = 4; least > 0 && at + least <= view.byteLength; count++) {
    for (const length of lengths) {
      if (length !== VARIABLE) {
        at += length;
      } else {
        const short = view.getUint8(at);
        at += short < 255 ? 1 + short : 3 + view.getUint16(at + 1);
      }
    }
  }
  return count;
}

/** Counts what a session sent and checks its sequence numbers, observation domain by domain. */
export function messageFacts(octets: Uint8Array): MessageFacts {
  const facts: MessageFacts = {
    messages: 0,
    octets: octets.length,
    records: 0,
    optionsRecords: 0,
    templates: 0,
    gaps: [],
    unknownSets: 0,
  };
  const domains = new Map<number, { next: number; templates: Map<number, RecordShape> }>();
  for (const message of messages(octets)) {
    const { domain, sequence: found } = message;
    const state = domains.get(domain) ?? { next: 0, templates: new Map() };
    domains.set(domain, state);
    const expected = state.next;
    if (expected !== found) facts.gaps.push({ domain, message: facts.messages, expected, found });
    let counted = 0;
    for (let at = 16; at + 4 <= message.octets.length; ) {
      const header = new DataView(message.octets.buffer, message.octets.byteOffset + at, 4);
      const id = header.getUint16(0);
      const length = header.getUint16(2);
      if (length < 4 || at + length > message.octets.length)
        throw new Error("a set that overflows");
      const set = new DataView(message.octets.buffer, message.octets.byteOffset + at, length);
      const shape = state.templates.get(id);
      if (id === TEMPLATES || id === OPTIONS_TEMPLATES) {
        facts.templates += readTemplates(set, id === OPTIONS_TEMPLATES, state.templates);
      } else if (shape === undefined) {
        facts.unknownSets++;
      } else {
        const records = countRecords(set, shape);
        counted += records;
        facts[shape.options ? "optionsRecords" : "records"] += records;
      }
      at += length;
    }
    facts.messages++;
    state.next = (found + counted) >>> 0;
  }
  return facts;
}
