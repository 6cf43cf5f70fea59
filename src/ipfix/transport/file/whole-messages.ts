// How far a file consists of whole IPFIX messages, and what comes then.
import type { FileHandle } from "node:fs/promises";

/** What a file that was left behind contains. */
export interface Contents {
  /** Octets of the whole messages that it begins with. */
  readonly octets: number;
  /** Export time of the first: Unix seconds. */
  readonly begun: number | undefined;
  /**
   * Whether what follows is anything else than nothing, the beginning of a message, or the zeros that
   * some file systems put where a power cut kept data from the disk.
   */
  readonly damaged: boolean;
}

const VERSION = 10;
const EXPORT_TIME = 4;
const MESSAGE_HEADER = 16;
const SET_HEADER = 4;

/** More than the longest message. */
const CHUNK = 1 << 20;

/** Reads the file from its beginning. */
export async function wholeMessages(handle: FileHandle): Promise<Contents> {
  const chunk = Buffer.allocUnsafe(CHUNK);
  let octets = 0;
  let begun: number | undefined;
  for (;;) {
    const { bytesRead } = await handle.read(chunk, 0, CHUNK, octets);
    const whole = wholeOctets(chunk.subarray(0, bytesRead));
    if (whole === 0) {
      const rest = chunk.subarray(0, bytesRead);
      const cutOff = isBeginning(rest) || (await onlyZeros(handle, octets));
      return { octets, begun, damaged: !cutOff };
    }
    begun ??= chunk.readUInt32BE(EXPORT_TIME);
    octets += whole;
  }
}

/** Octets of the whole messages that `data` begins with. */
function wholeOctets(data: Buffer): number {
  let at = 0;
  while (at + MESSAGE_HEADER <= data.length) {
    const length = data.readUInt16BE(at + 2);
    if (at + length > data.length || !isMessage(data.subarray(at, at + length))) break;
    at += length;
  }
  return at;
}

/** Whether a header and sets fill it. */
function isMessage(data: Buffer): boolean {
  if (data.length < MESSAGE_HEADER || data.readUInt16BE(0) !== VERSION) return false;
  let at = MESSAGE_HEADER;
  while (at + SET_HEADER <= data.length) {
    const length = data.readUInt16BE(at + 2);
    if (length < SET_HEADER) return false;
    at += length;
  }
  return at === data.length;
}

/** Whether a message may begin like that which was not written to its end. */
function isBeginning(data: Buffer): boolean {
  if (data.length < 2) return data.length === 0 || data[0] === 0;
  if (data.readUInt16BE(0) !== VERSION) return false;
  return data.length < 4 || data.readUInt16BE(2) > data.length;
}

async function onlyZeros(handle: FileHandle, from: number): Promise<boolean> {
  const chunk = Buffer.allocUnsafe(CHUNK);
  const zeros = Buffer.alloc(CHUNK);
  for (let at = from; ; ) {
    const { bytesRead } = await handle.read(chunk, 0, CHUNK, at);
    if (bytesRead === 0) return true;
    if (chunk.compare(zeros, 0, bytesRead, 0, bytesRead) !== 0) return false;
    at += bytesRead;
  }
}
