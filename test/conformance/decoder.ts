// A decoder of IPFIX messages written for the tests from RFC 7011 alone; it is strict, and keeps every octet.

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
  templates: WireTemplate[];
  records: WireRecord[];
}

/** Decodes the messages of one transport session, in their order. */
export class Decoder {
  readonly #templates = new Map<string, WireTemplate>();
  readonly #expected = new Map<number, number>();
  /** Messages whose sequence number was not the number of data records before them. */
  gaps = 0;

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

  #decodeSet(id: number, content: Uint8Array, message: WireMessage): void {
    message.sets.push(id);
    if (id === 2) {
      this.#decodeTemplates(content, message);
      return;
    }
    if (id < 256) throw new Error(`set ${id} is not expected here`);
    const template = this.#templates.get(`${message.domain}/${id}`);
    if (template === undefined) throw new Error(`no template ${id} before its data`);
    let at = 0;
    while (content.length - at >= shortest(template)) {
      const { record, end } = decodeRecord(template, content, at);
      message.records.push(record);
      at = end;
    }
    if (content.subarray(at).some((octet) => octet !== 0)) throw new Error("padding is not zero");
  }

  #decodeTemplates(content: Uint8Array, message: WireMessage): void {
    const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
    let at = 0;
    while (content.length - at >= 8) {
      const template: WireTemplate = { id: view.getUint16(at), fields: [] };
      if (template.id < 256) throw new Error("a template's id is below 256");
      const count = view.getUint16(at + 2);
      at += 4;
      for (let i = 0; i < count; i++) {
        const id = view.getUint16(at);
        const own = id >= 0x8000;
        template.fields.push({
          id: id & 0x7fff,
          length: view.getUint16(at + 2),
          enterprise: own ? view.getUint32(at + 4) : 0,
        });
        at += own ? 8 : 4;
      }
      message.templates.push(template);
      this.#templates.set(`${message.domain}/${template.id}`, template);
    }
    if (content.subarray(at).some((octet) => octet !== 0)) throw new Error("padding is not zero");
  }
}

function shortest(template: WireTemplate): number {
  return template.fields.reduce((sum, { length }) => sum + (length === 65535 ? 1 : length), 0);
}

function decodeRecord(
  template: WireTemplate,
  content: Uint8Array,
  start: number,
): { record: WireRecord; end: number } {
  const values: Uint8Array[] = [];
  let at = start;
  for (const field of template.fields) {
    let length = field.length;
    if (length === 65535) {
      length = content[at++];
      if (length === 255) {
        length = 256 * content[at] + content[at + 1];
        at += 2;
      }
    }
    if (at + length > content.length) throw new Error("a record leaves its set");
    values.push(content.subarray(at, at + length));
    at += length;
  }
  return { record: { template, values }, end: at };
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
