// A decoder of IPFIX messages written for the tests from RFC 7011 alone; it is strict, and keeps every octet.

const TEMPLATES = 2;
const OPTIONS_TEMPLATES = 3;

/** A field of a template (RFC 7011 section 3.2). */
export interface WireField {
  id: number;
  /** 0 for IANA's own. */
  enterprise: number;
  /** 65535: variable. */
  length: number;
}

export interface WireTemplate {
  id: number;
  fields: WireField[];
  /** How many of the fields are the scope; 0: no options template. */
  scopeFieldCount: number;
}

export interface WireRecord {
  template: WireTemplate;
  /** The octets of each field, in the template's order. */
  values: Uint8Array[];
}

export interface WireMessage {
  length: number;
  exportTime: number;
  sequence: number;
  domain: number;
  /** Ids of the sets, in their order. */
  sets: number[];
  /** Templates and options templates. */
  templates: WireTemplate[];
  /** Ids of templates that were withdrawn. */
  withdrawn: number[];
  records: WireRecord[];
}

/** Decodes the messages of one transport session, in their order. */
export class Decoder {
  readonly #templates = new Map<string, WireTemplate & { exportTime: number }>();
  readonly #expected = new Map<number, number>();
  /** Messages whose sequence number was not the number of data records before them. */
  gaps = 0;
  /** Octets behind the records of sets. */
  padding = 0;

  /** Throws on anything that the RFC does not allow, also on data without a template. */
  decode(octets: Uint8Array): WireMessage {
    const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
    const length = view.getUint16(2);
    if (view.getUint16(0) !== 10) throw new Error("version is not 10");
    if (length !== octets.length) throw new Error(`length ${length}, but ${octets.length} octets`);
    const message: WireMessage = {
      length,
      exportTime: view.getUint32(4),
      sequence: view.getUint32(8),
      domain: view.getUint32(12),
      sets: [],
      templates: [],
      withdrawn: [],
      records: [],
    };
    for (let at = 16; at < length; ) {
      const setLength = view.getUint16(at + 2);
      if (setLength < 4 || at + setLength > length) throw new Error("a set leaves the message");
      this.#decodeSet(view.getUint16(at), octets.subarray(at + 4, at + setLength), message);
      at += setLength;
    }
    const expected = this.#expected.get(message.domain);
    if (expected !== undefined && expected !== message.sequence) this.gaps++;
    this.#expected.set(message.domain, (message.sequence + message.records.length) % 2 ** 32);
    return message;
  }

  /** The template with that id, as it was last sent in an observation domain. Throws without one. */
  template(domain: number, id: number): WireTemplate & { exportTime: number } {
    const template = this.#templates.get(`${domain}/${id}`);
    if (template === undefined) throw new Error(`no template ${id} before its data`);
    return template;
  }

  #decodeSet(id: number, content: Uint8Array, message: WireMessage): void {
    message.sets.push(id);
    if (content.length === 0) throw new Error("an empty set");
    if (id === TEMPLATES || id === OPTIONS_TEMPLATES) {
      this.#decodeTemplates(content, message, id === OPTIONS_TEMPLATES);
      return;
    }
    if (id < 256) throw new Error(`set ${id} is not expected here`);
    const template = this.template(message.domain, id);
    if (template.exportTime > message.exportTime) throw new Error("data older than its template");
    let at = 0;
    while (content.length - at >= shortest(template)) {
      const { record, end } = decodeRecord(template, content, at);
      message.records.push(record);
      at = end;
    }
    this.#skipPadding(content.subarray(at));
  }

  #decodeTemplates(content: Uint8Array, message: WireMessage, isOptions: boolean): void {
    const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
    let at = 0;
    while (content.length - at >= 4 && view.getUint16(at) !== 0) {
      const id = view.getUint16(at);
      const count = view.getUint16(at + 2);
      at += 4;
      if (count === 0) {
        this.#withdraw(id, message, isOptions ? 3 : 2);
        continue;
      }
      if (id < 256) throw new Error("a template's id is below 256");
      const template: WireTemplate = { id, fields: [], scopeFieldCount: 0 };
      if (isOptions) {
        template.scopeFieldCount = view.getUint16(at);
        at += 2;
        if (template.scopeFieldCount === 0 || template.scopeFieldCount > count) {
          throw new Error(`${template.scopeFieldCount} of ${count} fields cannot be the scope`);
        }
      }
      for (let i = 0; i < count; i++) {
        const field = decodeField(view, at);
        template.fields.push(field);
        at += field.enterprise === 0 ? 4 : 8;
      }
      message.templates.push(template);
      this.#templates.set(`${message.domain}/${id}`, {
        ...template,
        exportTime: message.exportTime,
      });
    }
    this.#skipPadding(content.subarray(at));
  }

  #skipPadding(octets: Uint8Array): void {
    if (octets.some((octet) => octet !== 0)) throw new Error("padding is not zero");
    this.padding += octets.length;
  }

  // Section 8.1: the set's own id stands for all templates of its kind.
  #withdraw(id: number, message: WireMessage, set: number): void {
    const withdrawn = [...this.#templates].filter(
      ([key, template]) =>
        key.startsWith(`${message.domain}/`) &&
        (template.scopeFieldCount > 0 ? 3 : 2) === set &&
        (id === set || template.id === id),
    );
    if (withdrawn.length === 0) throw new Error(`no template ${id} to be withdrawn`);
    for (const [key, template] of withdrawn) {
      this.#templates.delete(key);
      message.withdrawn.push(template.id);
    }
  }
}

/** The field specifier at an octet. Throws when an enterprise number of 0 is written out. */
export function decodeField(view: DataView, at: number): WireField {
  const id = view.getUint16(at);
  const own = id >= 0x8000;
  const enterprise = own ? view.getUint32(at + 4) : 0;
  if (own && enterprise === 0) throw new Error("an enterprise number of 0");
  return { id: id & 0x7fff, length: view.getUint16(at + 2), enterprise };
}

function shortest(template: WireTemplate): number {
  return template.fields.reduce((sum, { length }) => sum + (length === 65535 ? 1 : length), 0);
}

/** The record at an octet of a set or list, and where it ends. Throws when it leaves it. */
export function decodeRecord(
  template: WireTemplate,
  content: Uint8Array,
  start: number,
): { record: WireRecord; end: number } {
  const values: Uint8Array[] = [];
  let at = start;
  for (const { length } of template.fields) {
    const { octets, end } = decodeOctets(content, at, length);
    values.push(octets);
    at = end;
  }
  return { record: { template, values }, end: at };
}

/** A field's octets (section 7), and where they end. Throws when they leave the set or list. */
export function decodeOctets(
  content: Uint8Array,
  start: number,
  fieldLength: number,
): { octets: Uint8Array; end: number } {
  let at = start;
  let length = fieldLength;
  if (length === 65535) {
    length = content[at++]!;
    if (length === 255) {
      length = 256 * content[at]! + content[at + 1]!;
      at += 2;
    }
  }
  if (!(at + length <= content.length)) throw new Error("a record leaves its set");
  return { octets: content.subarray(at, at + length), end: at + length };
}

/** An unsigned integer of any length. */
export function unsignedValue(octets: Uint8Array): bigint {
  return octets.reduce((value, octet) => (value << 8n) | BigInt(octet), 0n);
}

/** A signed integer of any length. */
export function signedValue(octets: Uint8Array): bigint {
  return BigInt.asIntN(8 * octets.length, unsignedValue(octets));
}

/** A float of 4 or 8 octets. */
export function floatValue(octets: Uint8Array): number {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  return octets.length === 4 ? view.getFloat32(0) : view.getFloat64(0);
}

/** An NTP timestamp of 8 octets as Unix time in units of 2^-32 s, in the era that began in 1900. */
export function ntpValue(octets: Uint8Array): bigint {
  return unsignedValue(octets) - (2208988800n << 32n);
}

/** Octets as hexadecimal digits. */
export function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString("hex");
}
