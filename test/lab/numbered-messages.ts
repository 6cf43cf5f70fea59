// Writes numbered records to a destination as an exporting process does, without one.
import type { Destination, Transport } from "../../src/ipfix/index.ts";
import { Decoder, unsignedValue } from "../conformance/decoder.ts";
import { messages } from "./ipfix-messages.ts";

const TEMPLATE_ID = 256;
/** Id and octets of each field: flowId, and paddingOctets so that fewer records fill a message. */
const FIELDS = [148, 8, 210, 120];
const RECORD = 128;
const OVERHEAD = 16 + 4;

/** Octets of the message of so many records. */
export const messageOctets = (records: number): number => OVERHEAD + RECORD * records;

/** The most records that fit a message. */
export const MOST_RECORDS = Math.floor((65_535 - OVERHEAD) / RECORD);

function header(view: DataView, at: number, length: number, sequence: number, set: number): void {
  view.setUint16(at, 10);
  view.setUint16(at + 2, length);
  view.setUint32(at + 4, Math.floor(Date.now() / 1000));
  view.setUint32(at + 8, sequence);
  view.setUint32(at + 12, 1);
  view.setUint16(at + 16, set);
  view.setUint16(at + 18, length - 16);
}

/** The message that a session begins with. */
export function templateMessage(): Uint8Array {
  const octets = new Uint8Array(OVERHEAD + 12);
  const view = new DataView(octets.buffer);
  header(view, 0, octets.length, 0, 2);
  for (const [i, value] of [TEMPLATE_ID, 2, ...FIELDS].entries()) {
    view.setUint16(OVERHEAD + 2 * i, value);
  }
  return octets;
}

/** Messages of the records from `first` on, so many in each. */
export function dataMessages(
  first: number,
  sequence: number,
  counts: readonly number[],
): Uint8Array {
  const octets = new Uint8Array(counts.reduce((sum, count) => sum + messageOctets(count), 0));
  const view = new DataView(octets.buffer);
  let at = 0;
  let written = 0;
  for (const count of counts) {
    header(view, at, messageOctets(count), sequence + written, TEMPLATE_ID);
    at += OVERHEAD;
    for (let i = 0; i < count; i++, at += RECORD) {
      view.setBigUint64(at, BigInt(first + written++));
    }
  }
  return octets;
}

/** Opens one session after another, each with its template first. */
export class NumberWriter {
  /** Records that were taken: the number of the next. */
  next = 0;
  /** Sessions that were begun. */
  sessions = 0;
  readonly #destination: Destination;
  #transport: Transport | undefined;
  #sequence = 0;

  constructor(destination: Destination) {
    this.#destination = destination;
  }

  /** Begins a session where there is none. */
  async open(): Promise<Transport> {
    if (this.#transport === undefined) {
      const transport = await this.#destination.connect(new AbortController().signal);
      this.sessions++;
      this.#transport = transport;
      this.#sequence = 0;
      const template = templateMessage();
      await transport.send(template, 0, template.length, template.length);
    }
    return this.#transport;
  }

  /**
   * Sends messages of `count` records each, the last of `last`, in sessions as many as it takes.
   * Throws what `send` throws, unless it is that the session has ended in order; what was taken
   * before is in `next`.
   */
  async write(count: number, batch: number, last = count): Promise<void> {
    let counts = Array.from({ length: batch }, (_, i) => (i < batch - 1 ? count : last));
    while (counts.length > 0) {
      const transport = await this.open();
      const octets = dataMessages(this.next, this.#sequence, counts);
      let taken: number;
      try {
        taken = await transport.send(octets, 0, octets.length, messageOctets(counts[0]!));
      } catch (error) {
        await this.close();
        if ((error as { code?: string }).code !== "SESSION_ENDED") throw error;
        continue;
      }
      const whole = Math.ceil(taken / messageOctets(counts[0]!));
      const records = counts.slice(0, whole).reduce((sum, one) => sum + one, 0);
      this.next += records;
      this.#sequence += records;
      counts = counts.slice(whole);
    }
  }

  /** Ends the session. */
  async close(): Promise<void> {
    await this.#transport?.close();
    this.#transport = undefined;
  }
}

/** The numbers in one session's messages; throws unless it begins with the template, without gaps. */
export function numbersIn(octets: Uint8Array): number[] {
  const decoder = new Decoder();
  const decoded = Array.from(messages(octets), (message) => decoder.decode(message.octets));
  if (decoded[0]?.templates.length !== 1) throw new Error("it does not begin with the template");
  if (decoder.gaps > 0) throw new Error(`${decoder.gaps} gaps in the sequence numbers`);
  return decoded.flatMap(({ records }) =>
    records.map(({ values }) => Number(unsignedValue(values[0]!))),
  );
}
