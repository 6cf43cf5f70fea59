// The compiled eBPF programs of the tests, and what generator and sink are told about a frame.
import { existsSync } from "node:fs";
import { endianness } from "node:os";
import { fileURLToPath } from "node:url";
import { type Frame, PORT_SPAN } from "./frame.ts";
import type { MappedStructs } from "./mapped-struct.ts";

/** Path of a program that `make build` compiled from test/bpf/programs/NAME.bpf.c. */
export function testProgram(name: string): string {
  const file = fileURLToPath(new URL(`../../build/test/${name}.bpf.o`, import.meta.url));
  if (!existsSync(file)) throw new Error(`${file} does not exist: run make build`);
  return file;
}

/** A ones' complement sum of big-endian words as one of this machine's words (RFC 1071, 2B). */
function native16(sum: number): number {
  const folded = sum % 0xffff;
  return endianness() === "LE" ? ((folded & 0xff) << 8) | (folded >> 8) : folded;
}

/** Fills struct traffic (test/bpf/programs/traffic.h) of one of the two programs. */
export function describeTraffic(
  traffic: MappedStructs,
  of: Frame,
  o: { flows: number; firstSequence: number; pattern: boolean },
): void {
  const words = Math.ceil(of.headerLength / 8);
  const header = of.octets.slice(0, words * 8);
  const same = new Uint8Array(words * 8).fill(0xff);
  const varies = (offset: number, octets: number) => {
    header.fill(0, offset, offset + octets);
    same.fill(0, offset, offset + octets);
  };
  varies(of.addressOffset, 4);
  varies(of.portOffset, 2);
  varies(of.checksumOffset, 2);
  if (of.flowIdOffset > 0) varies(of.flowIdOffset, 4);
  if (of.sequenceOffset > 0) varies(of.sequenceOffset, 4);
  // Forwarding changes these; and what is beyond the headers is payload.
  same.fill(0, 0, 12);
  same[of.hopLimitOffset] = 0;
  if (o.pattern) same.fill(0, of.headerLength);
  traffic.setOctets(0, "header", header);
  traffic.setOctets(0, "same", same);
  traffic.set(0, {
    header_words: words,
    header_length: of.headerLength,
    frame_length: of.octets.length,
    payload_words: o.pattern ? of.payloadLength / 8 : 0,
    address_offset: of.addressOffset,
    address_base: of.addressBase,
    flow_id_offset: of.flowIdOffset,
    flow_id_base: of.flowIdBase,
    port_offset: of.portOffset,
    port_base: of.portBase,
    port_span: PORT_SPAN,
    sequence_offset: of.sequenceOffset,
    first_sequence: o.firstSequence,
    checksum_offset: of.checksumOffset,
    checksum_sum: native16(o.pattern ? of.checksumSum + 0xffff - of.payloadSum : of.checksumSum),
    hop_limit_offset: of.hopLimitOffset,
    payload_length_offset: of.payloadLengthOffset,
    flows: o.flows,
    hop_limit: of.hopLimit - 1,
  });
}
