// The layout of bpf/records.h's struct flow_record, read from the header itself as a C compiler would.
import { readFileSync } from "node:fs";
import type { LayoutField, RecordLayout } from "../../../src/ipfix/index.ts";

const SIZES: Readonly<Record<string, number>> = {
  __u8: 1,
  __u16: 2,
  __be16: 2,
  __u32: 4,
  __be32: 4,
  __u64: 8,
  __s64: 8,
};

function structLayout(header: string, name: string): RecordLayout & { alignment: number } {
  const body = new RegExp(`struct ${name} \\{([\\s\\S]*?)\\n\\};`).exec(header)?.[1] ?? "";
  const fields: Record<string, LayoutField> = {};
  let end = 0;
  let widest = 1;
  const place = (size: number, count: number, alignment: number): LayoutField => {
    const offset = Math.ceil(end / alignment) * alignment;
    end = offset + size * count;
    widest = Math.max(widest, alignment);
    return { offset, size: size * count };
  };
  const declaration = /^\s*(?:struct )?(\w+) (\w+)(?:\[(\w+)\])?;/gm;
  for (const [, type, field, length] of body
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .matchAll(declaration)) {
    const count = length === undefined ? 1 : Number(length) || defined(header, length);
    const size = SIZES[type];
    if (size !== undefined) {
      fields[field] = place(size, count, size);
      continue;
    }
    const inner = structLayout(header, type);
    const { offset } = place(inner.size, count, inner.alignment);
    for (const [innerName, { offset: at, size: octets }] of Object.entries(inner.fields)) {
      fields[`${field}.${innerName}`] = { offset: offset + at, size: octets };
    }
  }
  return { size: Math.ceil(end / widest) * widest, fields, alignment: widest };
}

function defined(header: string, name: string): number {
  return Number(new RegExp(`#define ${name} (\\d+)`).exec(header)?.[1]);
}

/** The layout of struct flow_record. */
export function flowRecordLayout(): RecordLayout {
  const header = readFileSync(new URL("../../../bpf/records.h", import.meta.url), "utf8");
  return structLayout(header, "flow_record");
}
