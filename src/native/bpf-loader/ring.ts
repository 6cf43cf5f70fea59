// BPF ring buffers: records in batches, one callback a wake-up.

import { addon } from "./addon.ts";
import { attempt, failure } from "./failure.ts";
import type { BpfMap } from "./map.ts";

/** Octets before each record of a batch: u32 length (native), u32 0. */
export const RING_RECORD_HEADER = 8;

export interface RingOptions {
  /** An open ring keeps the process alive; default: it does not. */
  keepAlive?: boolean;
}

export interface Ring {
  /**
   * Hands over what is there without a wake-up (BPF_RB_NO_WAKEUP), to the same callback: whether
   * there was anything.
   */
  drain(): boolean;
  /** Frees the ring; again is harmless. Records not yet read stay in the map. */
  close(): void;
}

/**
 * Reads a ring buffer. `onBatch` gets all records of a wake-up (of 1 MiB and little more, the rest
 * in the next turn of the event loop) in one Buffer: for each record u32 length, u32 0, the
 * record, padding to 8 octets; ringRecords() walks it. The Buffer is the callback's to keep.
 *
 * What `onBatch` throws is an uncaught exception. `onError` hears of a failing event loop watch;
 * the ring goes on all the same.
 */
export function openRing(
  map: BpfMap,
  onBatch: (batch: Buffer) => void,
  onError?: (error: Error) => void,
  options: RingOptions = {},
): Ring {
  const what = `ring buffer ${map.name}`;
  const deliver = (batch: Buffer | undefined, errno: number): void => {
    if (batch !== undefined) {
      onBatch(batch);
      return;
    }
    const cause = Object.assign(new Error(), { errno, syscall: "uv_poll", reason: "", log: "" });
    const error = failure(`cannot watch ${what}`, "RING_FAILED", cause) as Error;
    if (onError === undefined) {
      throw error;
    }
    onError(error);
  };
  const { Ring: RawRing } = addon();
  const ring = attempt(
    `cannot open ${what}`,
    "RING_FAILED",
    () => new RawRing(map.fd, deliver, options.keepAlive === true),
    { EINVAL: ["NOT_A_RING", `it is a map of type ${map.type}`] },
  );
  return {
    drain(): boolean {
      const batch = ring.drain();
      if (batch !== undefined) {
        onBatch(batch);
      }
      return batch !== undefined;
    },
    close(): void {
      ring.close();
    },
  };
}

/** The records of a batch, each a view of it. */
export function* ringRecords(batch: Buffer): Generator<Buffer> {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  for (let at = 0; at < batch.byteLength; ) {
    const length = view.getUint32(at, LITTLE_ENDIAN);
    const start = at + RING_RECORD_HEADER;
    yield batch.subarray(start, start + length);
    at = start + Math.ceil(length / 8) * 8;
  }
}

const LITTLE_ENDIAN: boolean = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
