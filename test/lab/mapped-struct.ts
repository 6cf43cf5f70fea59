// Reads and writes the members of C structs in mapped memory by the names that BTF gives them.
import { endianness } from "node:os";
import type { StructLayout } from "../../src/native/bpf-loader/index.ts";

const little = endianness() === "LE";

/** An array of structs; every member is an unsigned integer of 4 or 8 octets. */
export class MappedStructs {
  readonly #view: DataView;
  readonly #layout: StructLayout;

  constructor(memory: ArrayBuffer, layout: StructLayout) {
    this.#view = new DataView(memory);
    this.#layout = layout;
  }

  get length(): number {
    return Math.floor(this.#view.byteLength / this.#layout.size);
  }

  #offset(index: number, name: string, size: number): number {
    const field = this.#layout.fields[name];
    if (field?.size !== size) throw new Error(`no member ${name} of ${size} octets`);
    return index * this.#layout.size + field.offset;
  }

  u32(index: number, name: string): number {
    return this.#view.getUint32(this.#offset(index, name, 4), little);
  }

  u64(index: number, name: string): bigint {
    return this.#view.getBigUint64(this.#offset(index, name, 8), little);
  }

  /** Sets members of 4 octets. */
  set(index: number, values: Record<string, number>): void {
    for (const [name, value] of Object.entries(values)) {
      this.#view.setUint32(this.#offset(index, name, 4), value, little);
    }
  }

  /** Sets a member that is an array of octets or words to these octets; the rest of it to zero. */
  setOctets(index: number, name: string, octets: Uint8Array): void {
    const field = this.#layout.fields[name];
    if (field === undefined || field.size < octets.length) throw new Error(`${name}: no room`);
    const at = index * this.#layout.size + field.offset;
    const target = new Uint8Array(this.#view.buffer, at, field.size);
    target.fill(0);
    target.set(octets);
  }

  /** Sets every octet of every struct to zero. */
  clear(): void {
    new Uint8Array(this.#view.buffer).fill(0);
  }
}
