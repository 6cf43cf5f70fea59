// BPF maps: elements one by one, in batches, or all at once as mapped memory.

import { counted } from "../../counted.ts";
import { IoamctlError } from "../../errors.ts";
import { addon, type Fd } from "./addon.ts";
import { attempt, attemptAsync, type Meaning } from "./failure.ts";
import { Handle } from "./handle.ts";
import { openById, openPinned, pin } from "./pin.ts";

const BPF_F_MMAPABLE = 1 << 10;

/** `bpf_map_update_elem` flags. */
const BPF_ANY = 0;
export const BPF_NOEXIST = 1;
export const BPF_EXIST = 2;

/** Types that createMap() makes; the numbers are the kernel's. */
const MAP_TYPES = {
  hash: 1,
  array: 2,
  percpu_hash: 5,
  percpu_array: 6,
  lru_hash: 9,
  array_of_maps: 12,
  hash_of_maps: 13,
  ringbuf: 27,
} as const;

export interface MapOptions {
  type: keyof typeof MAP_TYPES;
  /** At most 15 characters. */
  name?: string;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  /** BPF_F_*, for instance 1 << 10: BPF_F_MMAPABLE. */
  flags?: number;
  /** What the maps in a map-in-map look like. */
  inner?: BpfMap;
}

export interface MapBatch {
  /** `count` keys one after another. */
  keys: Uint8Array;
  /** `count` values one after another, each `valueOctets` long. */
  values: Uint8Array;
  count: number;
  /** Where to go on from; undefined: all were read. */
  position: Uint8Array | undefined;
}

export class BpfMap extends Handle {
  readonly id: number;
  readonly name: string;
  /** As bpftool prints it: "array", "percpu_hash", "ringbuf", … */
  readonly type: string;
  readonly keySize: number;
  readonly valueSize: number;
  /** Octets that lookup() returns and update() takes: of a per-CPU map, all CPUs' values. */
  readonly valueOctets: number;
  readonly maxEntries: number;
  /** BPF_F_* it was made with. */
  readonly flags: number;

  /** @internal */
  constructor(fd: Fd) {
    const info = attempt("cannot read a map's properties", "BPF_FAILED", () =>
      addon().mapInfo(fd.number),
    );
    super(fd, `map ${info.name}`);
    this.id = info.id;
    this.name = info.name;
    this.type = info.type;
    this.keySize = info.keySize;
    this.valueSize = info.valueSize;
    this.valueOctets = info.valueOctets;
    this.maxEntries = info.maxEntries;
    this.flags = info.flags;
  }

  /**
   * The memory of an array map made with BPF_F_MMAPABLE: elements one after another, each
   * `valueSize` rounded up to 8 octets. `offset` is in octets, a multiple of the page size.
   *
   * Each call maps anew, at another address. The memory stays mapped as long as anything looks at
   * it, whatever becomes of this object. Writing to a read-only mapping ends the process.
   */
  mmap(options: { offset?: number; length?: number; readonly?: boolean } = {}): ArrayBuffer {
    const what = `cannot map the memory of map ${this.name}`;
    if ((this.flags & BPF_F_MMAPABLE) === 0) {
      throw new IoamctlError("MAP_NOT_MMAPABLE", `${what}: it was not made with BPF_F_MMAPABLE`);
    }
    const size = this.maxEntries * Math.ceil(this.valueSize / 8) * 8;
    const offset = options.offset ?? 0;
    const length = options.length ?? size - offset;
    if (!Number.isSafeInteger(offset) || offset < 0 || offset >= size) {
      throw new RangeError(`${what}: offset ${offset} is not in 0…${size - 1}`);
    }
    if (!Number.isSafeInteger(length) || length <= 0 || offset + length > size) {
      throw new RangeError(`${what}: length ${length} is not in 1…${size - offset}`);
    }
    return attempt(
      what,
      "MMAP_FAILED",
      () => addon().mapMmap(this.fd, offset, length, options.readonly !== true),
      {
        EPERM: ["MAP_FROZEN", "it is frozen; map it read-only"],
        EINVAL: ["MMAP_FAILED", `offset ${offset} is not a multiple of the page size`],
        ENOMEM: ["NO_MEMORY", "no address space or memory left"],
      },
    );
  }

  /** The value of `key`; undefined: none. A map-in-map's value is the inner map's id. */
  lookup(key: Uint8Array): Uint8Array | undefined {
    this.#checkKey(key);
    return attempt(`cannot read map ${this.name}`, "MAP_FAILED", () =>
      addon().mapLookup(this.fd, key, this.valueOctets),
    );
  }

  /** Writes an element; `value` may be the map to put into a map-in-map. */
  update(key: Uint8Array, value: Uint8Array | BpfMap, flags: number = BPF_ANY): void {
    const octets = this.#valueOf(key, value);
    attempt(
      `cannot write map ${this.name}`,
      "MAP_FAILED",
      () => addon().mapUpdate(this.fd, key, octets, flags),
      UPDATE_MEANINGS,
    );
  }

  /**
   * update() on a thread of its own. For a map-in-map it resolves when a grace period has passed:
   * no program still sees what was there before.
   */
  updateAsync(key: Uint8Array, value: Uint8Array | BpfMap, flags: number = BPF_ANY): Promise<void> {
    const octets = this.#valueOf(key, value);
    return attemptAsync(
      `cannot write map ${this.name}`,
      "MAP_FAILED",
      () => addon().mapUpdateAsync(this.fd, key, octets, flags),
      UPDATE_MEANINGS,
    );
  }

  /** Removes an element: whether there was one. */
  delete(key: Uint8Array): boolean {
    this.#checkKey(key);
    return attempt(`cannot delete from map ${this.name}`, "MAP_FAILED", () =>
      addon().mapDelete(this.fd, key),
    );
  }

  /** All keys; of a map that changes meanwhile, some may be missing or there twice. */
  keys(): Uint8Array[] {
    /* A hash that changes under the iteration can start it anew: bounded. */
    const limit = Math.min(2 * this.maxEntries, 2 ** 32 - 1);
    const all = attempt(`cannot list map ${this.name}`, "MAP_FAILED", () =>
      addon().mapKeys(this.fd, this.keySize, limit),
    );
    return Array.from({ length: all.length / this.keySize }, (_, i) =>
      all.subarray(i * this.keySize, (i + 1) * this.keySize),
    );
  }

  /** `max` elements (default: all), or a few more, beginning at another batch's `position`. */
  lookupBatch(max: number = 2 ** 32 - 1, position?: Uint8Array): MapBatch {
    return this.#batch(max, false, position);
  }

  /** The same, and removes them. Of a hash that is written meanwhile, updates may be lost. */
  lookupAndDeleteBatch(max: number = 2 ** 32 - 1, position?: Uint8Array): MapBatch {
    return this.#batch(max, true, position);
  }

  /** Pins the map at `path`, on a BPF file system. */
  pin(path: string): void {
    pin("map", this.name, this.fd, path);
  }

  #batch(max: number, take: boolean, position: Uint8Array | undefined): MapBatch {
    if (!Number.isInteger(max) || max < 1 || max > 2 ** 32 - 1) {
      throw new RangeError(`map ${this.name}: a batch of ${max} elements`);
    }
    const batch = attempt(
      `cannot read map ${this.name} in batches`,
      "MAP_FAILED",
      () => addon().mapBatch(this.fd, max, take, position),
      { ENOTSUPP: ["MAP_NO_BATCH", `the kernel has no such operation for a ${this.type} map`] },
    );
    return { ...batch, position: batch.position };
  }

  #checkKey(key: Uint8Array): void {
    if (key.byteLength !== this.keySize) {
      throw new TypeError(
        `map ${this.name}: key has ${counted(key.byteLength, "octet")}, not ${this.keySize}`,
      );
    }
  }

  #valueOf(key: Uint8Array, value: Uint8Array | BpfMap): Uint8Array {
    this.#checkKey(key);
    const octets =
      value instanceof BpfMap ? new Uint8Array(new Int32Array([value.fd]).buffer) : value;
    if (octets.byteLength !== this.valueOctets) {
      throw new TypeError(
        `map ${this.name}: value has ${counted(octets.byteLength, "octet")}, not ${this.valueOctets}`,
      );
    }
    return octets;
  }
}

const UPDATE_MEANINGS: Readonly<Record<string, Meaning>> = {
  E2BIG: ["MAP_FULL", "it is full, or the key is outside the array"],
  EEXIST: ["MAP_KEY_EXISTS", "the key exists"],
  ENOENT: ["NO_SUCH_KEY", "the key does not exist"],
};

/** The map pinned at `path`; NO_SUCH_MAP, WRONG_PIN. */
export function openPinnedMap(path: string): BpfMap {
  return new BpfMap(openPinned("map", path));
}

/** The map of that id; NO_SUCH_MAP. */
export function mapById(id: number): BpfMap {
  return new BpfMap(openById("map", id));
}

/** Makes a map of its own, of no object file. */
export function createMap(options: MapOptions): BpfMap {
  const { type, name = "", keySize, valueSize, maxEntries, flags = 0, inner } = options;
  const fd = attempt(
    `cannot make a ${type} map of ${counted(maxEntries, "element")}`,
    "MAP_FAILED",
    () =>
      addon().createMap(
        MAP_TYPES[type],
        name,
        keySize,
        valueSize,
        maxEntries,
        flags,
        inner?.fd ?? -1,
      ),
    { ENOMEM: ["NO_MEMORY", "not enough memory"] },
  );
  return new BpfMap(fd);
}
