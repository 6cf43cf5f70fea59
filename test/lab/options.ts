// Options of Hop-by-Hop and Destination headers, IOAM above all (RFC 8200, 9197, 9326, 9486).
import { big, concat } from "./octets.ts";

/** IOAM option that does not change on the way. */
export const IOAM_FIXED = 0x11;
/** IOAM option that may change on the way (the out-of-tree kernel patch sends DEX so). */
export const IOAM_MUTABLE = 0x31;

/** DEX extension flag: a Flow ID follows. */
export const FLOW_ID = 0x80;
/** DEX extension flag: a Sequence Number follows. */
export const SEQUENCE = 0x40;

interface IoamCommon {
  /** IPv6 option type: `IOAM_FIXED` unless told. */
  type?: number;
  /** Value of the opt len octet; the data is cut or filled up with zeros to it. */
  length?: number;
  /** With `length`: the octet lies, the data stays as long as it is. */
  lengthLies?: boolean;
  /** False: no PadN in front to start 4n-aligned. */
  aligned?: boolean;
}

/** Direct Export (RFC 9326). */
export interface DexOption extends IoamCommon {
  kind: "dex";
  namespace: number;
  flags?: number;
  /** Each set bit adds 4 octets: 0x80 the flow id, 0x40 the sequence number, others `unknownField`. */
  extensionFlags: number;
  /** 24 bits, bit 0 is the most significant. */
  traceType: number;
  reserved?: number;
  flowId?: number;
  sequence?: number;
  /** Content of each unknown extension field; by default a marker that differs by bit. */
  unknownField?: (bit: number) => number;
  /** Octets of zeros after the fields, counted in opt len (as TRex does). */
  padding?: number;
}

/** Pre-allocated trace (RFC 9197, 4.4). */
export interface TraceOption extends IoamCommon {
  kind: "trace";
  namespace: number;
  /** In 4-octet units. */
  nodeLength: number;
  flags?: number;
  /** In 4-octet units. */
  remainingLength: number;
  traceType: number;
  /** Node data space, the whole of it. */
  data: Uint8Array;
}

/** IOAM option of any other type: `data` begins after the IOAM option-type octet. */
export interface IoamOption extends IoamCommon {
  kind: "ioam";
  ioamType: number;
  data: Uint8Array;
}

export type Option =
  | { kind: "pad1" }
  /** `octets` counts the two of type and length. */
  | { kind: "padN"; octets: number }
  | { kind: "routerAlert"; value: number }
  | { kind: "other"; type: number; data: Uint8Array }
  | DexOption
  | TraceOption
  | IoamOption;

/** Proof of Transit, POT type 0 (RFC 9197, 4.5): PktID and Cumulative of 8 octets each. */
export function proofOfTransit(
  namespace: number,
  packetId: bigint,
  cumulative: bigint,
): IoamOption {
  const data = new Uint8Array(20);
  const view = new DataView(data.buffer);
  view.setUint16(0, namespace);
  view.setBigUint64(4, packetId);
  view.setBigUint64(12, cumulative);
  return { kind: "ioam", type: IOAM_MUTABLE, ioamType: 2, data };
}

/** Edge-to-Edge with a 32-bit sequence number (E2E-Type bit 1; RFC 9197, 4.6). */
export function edgeToEdge(namespace: number, sequence: number): IoamOption {
  return {
    kind: "ioam",
    ioamType: 3,
    data: concat(big(namespace, 2), big(0x4000, 2), big(sequence, 4)),
  };
}

/** The DEX header and its extension fields, padding of `padding` included. */
function dexData(option: DexOption): Uint8Array {
  const fields: Uint8Array[] = [];
  for (let bit = 0; bit < 8; bit++) {
    const flag = 0x80 >> bit;
    if ((option.extensionFlags & flag) === 0) continue;
    let value = option.unknownField?.(bit) ?? 0xbad0bad0 + bit;
    if (flag === FLOW_ID) value = option.flowId ?? 0;
    if (flag === SEQUENCE) value = option.sequence ?? 0;
    fields.push(big(value, 4));
  }
  return concat(
    big(option.namespace, 2),
    [option.flags ?? 0, option.extensionFlags],
    big(option.traceType, 3),
    [option.reserved ?? 0],
    ...fields,
    new Uint8Array(option.padding ?? 0),
  );
}

function traceData(option: TraceOption): Uint8Array {
  const bits = (option.nodeLength << 11) | ((option.flags ?? 0) << 7) | option.remainingLength;
  return concat(big(option.namespace, 2), big(bits, 2), big(option.traceType, 3), [0], option.data);
}

function ioam(option: IoamCommon, ioamType: number, content: Uint8Array): Uint8Array {
  let data: Uint8Array = concat([0, ioamType], content);
  const length = option.length ?? data.length;
  if (length !== data.length && !option.lengthLies) {
    data = concat(data.subarray(0, length), new Uint8Array(Math.max(0, length - data.length)));
  }
  return concat([option.type ?? IOAM_FIXED, length], data);
}

/** One option as it stands in its header. */
export function optionOctets(option: Option): Uint8Array {
  switch (option.kind) {
    case "pad1":
      return new Uint8Array(1);
    case "padN":
      return concat([1, option.octets - 2], new Uint8Array(option.octets - 2));
    case "routerAlert":
      return concat([5, 2], big(option.value, 2));
    case "other":
      return concat([option.type, option.data.length], option.data);
    case "dex":
      return ioam(option, 4, dexData(option));
    case "trace":
      return ioam({ type: IOAM_MUTABLE, ...option }, 0, traceData(option));
    case "ioam":
      return ioam(option, option.ioamType, option.data);
  }
}

/** Pad1 or PadN of `octets` octets; nothing for 0. */
function pad(octets: number): Uint8Array {
  if (octets === 0) return new Uint8Array(0);
  return optionOctets(octets === 1 ? { kind: "pad1" } : { kind: "padN", octets });
}

/**
 * The options of a header that begins with its two octets (next header, length): padded so that
 * each IOAM option starts 4n-aligned (RFC 9486) and the header is a multiple of 8 octets.
 */
export function optionsOctets(options: Option[]): Uint8Array {
  let out: Uint8Array = new Uint8Array(0);
  for (const option of options) {
    const isIoam = option.kind === "dex" || option.kind === "trace" || option.kind === "ioam";
    if (isIoam && option.aligned !== false) out = concat(out, pad(-(2 + out.length) & 3));
    out = concat(out, optionOctets(option));
  }
  return concat(out, pad(-(2 + out.length) & 7));
}
