// Messages that carry templates (RFC 7011 section 3.4.1).
import type { Template } from "../template.ts";
import {
  MESSAGE_HEADER,
  SET_HEADER,
  stampMessage,
  TEMPLATE_SET,
  writeHeaders,
} from "./message-header.ts";
import type { Outgoing } from "./outgoing.ts";

const OVERHEAD = MESSAGE_HEADER + SET_HEADER;

/** Octets of the message that one template alone needs. */
export function templateMessageLength(template: Template): number {
  return OVERHEAD + template.record.length;
}

/** The templates in as few messages as their length allows; a template is never split. */
export function templateMessages(
  templates: readonly Template[],
  domain: number,
  maxLength: number,
): Outgoing[] {
  const messages: Template[][] = [];
  let room = 0;
  for (const template of templates) {
    if (template.record.length > room) {
      messages.push([]);
      room = maxLength - OVERHEAD;
    }
    messages[messages.length - 1].push(template);
    room -= template.record.length;
  }
  return messages.map((group) => templateMessage(group, domain));
}

function templateMessage(templates: readonly Template[], domain: number): Outgoing {
  const octets = templates.reduce((sum, { record }) => sum + record.length, OVERHEAD);
  const bytes = new Uint8Array(octets);
  const view = new DataView(bytes.buffer);
  writeHeaders(view, 0, octets, domain, TEMPLATE_SET);
  let at = OVERHEAD;
  for (const { record } of templates) {
    bytes.set(record, at);
    at += record.length;
  }
  return {
    bytes,
    octets,
    messageLength: octets,
    recordsBefore: () => 0,
    stamp: (_from, seconds, sequence) => stampMessage(view, 0, seconds, sequence),
  };
}
