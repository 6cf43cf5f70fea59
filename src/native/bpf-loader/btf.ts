// Struct layouts, read from the BTF of a compiled object: nothing is counted by hand.

import { addon } from "./addon.ts";
import { failure, nativeCall } from "./failure.ts";

export interface FieldLayout {
  /** Octets from the start of the struct. */
  offset: number;
  size: number;
  /** Elements, if it is an array. */
  count?: number;
}

export interface StructLayout {
  /** Octets, padding included. */
  size: number;
  /** Members by name, those of nested structs also as "key.source_address". No bit fields. */
  fields: Record<string, FieldLayout>;
}

/**
 * The layout of a struct, union or typedef of a BPF object file, or of the variables of a section
 * (".rodata", ".bss"). Only types that the code uses are in BTF. Needs no privileges.
 *
 * NO_SUCH_FILE, NO_SUCH_STRUCT, NO_BTF, BAD_OBJECT.
 */
export function btfLayout(objectFile: string, name: string): StructLayout {
  try {
    return addon().btfLayout(objectFile, name);
  } catch (error) {
    const opening = nativeCall(error) === "bpf_object__open_file";
    throw failure(`cannot read the layout of ${name} from ${objectFile}`, "BAD_OBJECT", error, {
      ENOENT: opening
        ? ["NO_SUCH_FILE", "there is no such file"]
        : ["NO_SUCH_STRUCT", "its BTF has none of that name"],
      ENODATA: ["NO_BTF", "it has no BTF; compile with -g"],
    });
  }
}
