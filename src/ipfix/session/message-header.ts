// The fixed parts of a message: its header (RFC 7011 section 3.1) and a set's (section 3.3.2).

const VERSION = 10;
export const MESSAGE_HEADER = 16;
export const SET_HEADER = 4;
export const TEMPLATE_SET = 2;
export const OPTIONS_TEMPLATE_SET = 3;

/** Octets of a message of one set that are not its records. */
export const OVERHEAD: number = MESSAGE_HEADER + SET_HEADER;

const LENGTH = 2;
const EXPORT_TIME = 4;
const SEQUENCE = 8;
const DOMAIN = 12;
const SET_LENGTH = MESSAGE_HEADER + 2;

/** Writes the headers of a message that consists of one set, but for what `stampMessage` does. */
export function writeHeaders(view: DataView, at: number, length: number, setId: number): void {
  writeMessageHeader(view, at, length);
  writeSetHeader(view, at + MESSAGE_HEADER, setId, length - MESSAGE_HEADER);
}

/** Writes a message's header, but for what `stampMessage` does. */
export function writeMessageHeader(view: DataView, at: number, length: number): void {
  view.setUint16(at, VERSION);
  view.setUint16(at + LENGTH, length);
}

/** Writes a set's header; `length` is the whole set's. */
export function writeSetHeader(view: DataView, at: number, setId: number, length: number): void {
  view.setUint16(at, setId);
  view.setUint16(at + LENGTH, length);
}

/** Writes the length of a message of one set, into both headers. */
export function writeLengths(view: DataView, at: number, length: number): void {
  view.setUint16(at + LENGTH, length);
  view.setUint16(at + SET_LENGTH, length - MESSAGE_HEADER);
}

/**
 * Writes what differs from one sending to the next: Unix seconds, the data records sent before in the
 * observation domain, and that.
 */
export function stampMessage(
  view: DataView,
  at: number,
  seconds: number,
  sequence: number,
  domain: number,
): void {
  view.setUint32(at + EXPORT_TIME, seconds);
  view.setUint32(at + SEQUENCE, sequence);
  view.setUint32(at + DOMAIN, domain);
}
