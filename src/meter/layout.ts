// Offsets of the shared structs, from the BTF of the BPF object: nothing is counted by hand.

import { fileURLToPath } from "node:url";
import { btfLayout, type StructLayout } from "../native/bpf-loader/index.ts";

/** The compiled meter; the same relative path from src/ (tests) and from dist/. */
export const METER_OBJECT: string = fileURLToPath(
  new URL("../../dist/bpf/meter.bpf.o", import.meta.url),
);

const layouts = new Map<string, StructLayout>();

/** Layout of a struct of bpf/records.h: size and offsets in octets, nested names with a dot. */
export function layoutOf(struct: string): StructLayout {
  let layout = layouts.get(struct);
  if (layout === undefined) {
    layout = btfLayout(METER_OBJECT, struct);
    layouts.set(struct, layout);
  }
  return layout;
}

/** Offset in octets of a member of a struct of bpf/records.h. */
export function offsetOf(struct: string, field: string): number {
  return layoutOf(struct).fields[field]!.offset;
}
