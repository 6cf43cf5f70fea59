// What the tests of bpf-loader share: their BPF objects, and small helpers about values and memory.
import { existsSync } from "node:fs";
import { endianness } from "node:os";
import { fileURLToPath } from "node:url";
import v8 from "node:v8";
import vm from "node:vm";
import { type BpfObject, openObject } from "../../src/native/bpf-loader/index.ts";

/** A BPF object that `make build` compiled for the tests. */
export function compiled(name: string): string {
  const file = fileURLToPath(new URL(`../../build/test/${name}.bpf.o`, import.meta.url));
  if (!existsSync(file)) throw new Error(`${file} is missing: run make build`);
  return file;
}

export const LOADER: string = compiled("loader");

/** The checkout's own folder, where children have to run to find tsx. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

export const LITTLE: boolean = endianness() === "LE";

/** loader.bpf.o in the kernel. */
export function loaded(adjust: (object: BpfObject) => void = () => undefined): BpfObject {
  const object = openObject(LOADER);
  adjust(object);
  object.load();
  return object;
}

/** Octets of a native u32 (a key, for instance). */
export function u32(value: number): Uint8Array {
  return new Uint8Array(new Uint32Array([value]).buffer);
}

/** Octets of a native u64. */
export function u64(value: bigint): Uint8Array {
  return new Uint8Array(new BigUint64Array([value]).buffer);
}

export function readU64(octets: Uint8Array | undefined): bigint | undefined {
  if (octets === undefined) return undefined;
  return new DataView(octets.buffer, octets.byteOffset).getBigUint64(0, LITTLE);
}

v8.setFlagsFromString("--expose-gc");
const gc = vm.runInNewContext("gc") as () => void;

/** Collects garbage and lets finalizers run. */
export async function collect(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** An Ethernet frame with nothing in it that anybody parses. */
export function frame(size = 64): Uint8Array {
  const data = new Uint8Array(size);
  data.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5]);
  return data;
}

/** Words of `struct __sk_buff`, by their place in it; the kernel wants the others to be 0. */
export function skBuff(words: { mark?: number; priority?: number; ifindex?: number }): Uint8Array {
  const context = new Uint32Array(48);
  context[2] = words.mark ?? 0;
  context[8] = words.priority ?? 0;
  context[10] = words.ifindex ?? 0;
  return new Uint8Array(context.buffer);
}
