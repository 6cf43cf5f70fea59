// Where the fields of a record lie in memory: what an encoder reads.

/** One field of a record: octets from its start, size in octets. */
export interface LayoutField {
  readonly offset: number;
  readonly size: number;
}

/**
 * The layout of a record, as of a C struct on a little-endian machine. A field of a nested struct is
 * named "outer.inner". Records begin at multiples of 4 octets.
 */
export interface RecordLayout {
  /** Octets of a record. */
  readonly size: number;
  readonly fields: Readonly<Record<string, LayoutField>>;
}

/**
 * A layout with the fields in the order given, each aligned to its size as a C compiler would
 * (sizes of 2, 4 and 8 octets; others are arrays of octets). For records that are made by hand:
 * those of a C struct take theirs from its debug information.
 */
export function recordLayout(sizes: Readonly<Record<string, number>>): RecordLayout {
  const fields: Record<string, LayoutField> = {};
  let end = 0;
  for (const [name, size] of Object.entries(sizes)) {
    const alignment = size === 2 || size === 4 || size === 8 ? size : 1;
    const offset = Math.ceil(end / alignment) * alignment;
    fields[name] = { offset, size };
    end = offset + size;
  }
  return { size: Math.ceil(end / 8) * 8, fields };
}
