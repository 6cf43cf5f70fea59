// Messages of several sets: templates, options and records that were encoded one by one.
import {
  MESSAGE_HEADER,
  OPTIONS_TEMPLATE_SET,
  SET_HEADER,
  stampMessage,
  TEMPLATE_SET,
  writeMessageHeader,
  writeSetHeader,
} from "./message-header.ts";
import type { Outgoing } from "./outgoing.ts";

/** A record of a set: of templates (2), of options templates (3), or of data (the template's id). */
export interface SetRecord {
  readonly setId: number;
  readonly octets: Uint8Array;
  /** It has a set of its own. */
  readonly isAlone?: boolean;
}

/** One message. */
export class PackedMessage implements Outgoing {
  readonly bytes: Uint8Array;
  readonly observationDomainId: number;
  readonly octets: number;
  readonly messageLength: number;
  readonly isAnnouncement: boolean;
  readonly #view: DataView;
  readonly #dataRecords: number;

  constructor(
    sets: readonly (readonly SetRecord[])[],
    observationDomainId: number,
    isAnnouncement: boolean,
  ) {
    const octets = sets.reduce((sum, set) => sum + setLength(set), MESSAGE_HEADER);
    this.bytes = new Uint8Array(octets);
    this.observationDomainId = observationDomainId;
    this.octets = octets;
    this.messageLength = octets;
    this.isAnnouncement = isAnnouncement;
    this.#view = new DataView(this.bytes.buffer);
    this.#dataRecords = sets.flat().filter(({ setId }) => isData(setId)).length;
    writeMessageHeader(this.#view, 0, octets);
    let at = MESSAGE_HEADER;
    for (const set of sets) {
      writeSetHeader(this.#view, at, set[0]!.setId, setLength(set));
      at += SET_HEADER;
      for (const record of set) {
        this.bytes.set(record.octets, at);
        at += record.octets.length;
      }
    }
  }

  recordsBefore(octet: number): number {
    return octet === 0 ? 0 : this.#dataRecords;
  }

  stamp(_from: number, seconds: number, sequence: number): void {
    stampMessage(this.#view, 0, seconds, sequence, this.observationDomainId);
  }
}

/**
 * Packs records, in their order, into as few messages of at most `maxLength` octets as they fit. None
 * is split: one that is longer goes alone. Neighbours of one set id share a set, but for options
 * templates, of which pmacct reads only the first of a set, and those that are to be alone.
 *
 * `isAnnouncement`: they are counted as templates and options, not as data handed over.
 */
export function packMessages(
  records: Iterable<SetRecord>,
  observationDomainId: number,
  maxLength: number,
  isAnnouncement: boolean,
): PackedMessage[] {
  const messages: PackedMessage[] = [];
  let sets: SetRecord[][] = [];
  let length = MESSAGE_HEADER;
  const finish = (): void => {
    if (sets.length > 0)
      messages.push(new PackedMessage(sets, observationDomainId, isAnnouncement));
    sets = [];
    length = MESSAGE_HEADER;
  };
  for (const record of records) {
    const joins = (): boolean => {
      const { setId, isAlone = false } = record;
      return !isAlone && setId !== OPTIONS_TEMPLATE_SET && sets.at(-1)?.[0]?.setId === setId;
    };
    const needed = record.octets.length + (joins() ? 0 : SET_HEADER);
    if (length + needed > maxLength) finish();
    if (joins()) {
      sets.at(-1)!.push(record);
      length += record.octets.length;
    } else {
      sets.push([record]);
      length += SET_HEADER + record.octets.length;
    }
  }
  finish();
  return messages;
}

/** A set of templates or of options templates, by the number of scope fields. */
export function templateSetId(scopeFieldCount: number): number {
  return scopeFieldCount === 0 ? TEMPLATE_SET : OPTIONS_TEMPLATE_SET;
}

function setLength(set: readonly SetRecord[]): number {
  return set.reduce((sum, { octets }) => sum + octets.length, SET_HEADER);
}

function isData(setId: number): boolean {
  return setId >= 256;
}
