// Prints rows in columns, within a width: what gives way first is the column's to say.

/** A column of a table of T. */
export interface Column<T> {
  readonly title: string;
  readonly align?: "right";
  readonly cell: (row: T) => string;
  /** How cells give way when the table is too wide. */
  readonly shrink?: {
    /** Columns of a lower rank give way first; the widest of a rank before the others. */
    readonly rank: number;
    /** Not narrower than this. */
    readonly minimum: number;
    /** `cell` in `width` columns. */
    readonly fit: (cell: string, width: number) => string;
  };
}

/** How a table is printed. */
export interface TableStyle {
  /** Columns of the screen not to be exceeded; default: no limit. */
  readonly width?: number;
  /** Applied to the header line, for colour. */
  readonly header?: (line: string) => string;
}

const GAP = "  ";

/** The lines of a table: the header, then one a row. */
export function* tableLines<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  style: TableStyle = {},
): Generator<string> {
  const widths = naturalWidths(columns, rows);
  if (style.width !== undefined) shrinkTo(style.width, columns, widths);
  const header = line(columns, widths, (column) => column.title);
  yield style.header === undefined ? header : style.header(header);
  for (const row of rows) yield line(columns, widths, (column) => column.cell(row));
}

function naturalWidths<T>(columns: readonly Column<T>[], rows: readonly T[]): number[] {
  return columns.map((column) => {
    let width = column.title.length;
    for (const row of rows) width = Math.max(width, column.cell(row).length);
    return width;
  });
}

function shrinkTo<T>(limit: number, columns: readonly Column<T>[], widths: number[]): void {
  let excess =
    widths.reduce((sum, width) => sum + width, GAP.length * (columns.length - 1)) - limit;
  for (; excess > 0; excess--) {
    const widest = nextToShrink(columns, widths);
    if (widest === undefined) return;
    widths[widest]!--;
  }
}

function nextToShrink<T>(columns: readonly Column<T>[], widths: number[]): number | undefined {
  let best: number | undefined;
  columns.forEach(({ title, shrink }, i) => {
    if (shrink === undefined || widths[i]! <= Math.max(shrink.minimum, title.length)) return;
    const current = best === undefined ? undefined : columns[best]!.shrink!.rank;
    if (
      current === undefined ||
      shrink.rank < current ||
      (shrink.rank === current && widths[i]! > widths[best!]!)
    ) {
      best = i;
    }
  });
  return best;
}

function line<T>(
  columns: readonly Column<T>[],
  widths: readonly number[],
  text: (column: Column<T>) => string,
): string {
  const cells = columns.map((column, i) => {
    const width = widths[i]!;
    const whole = text(column);
    const cell =
      whole.length > width && column.shrink !== undefined ? column.shrink.fit(whole, width) : whole;
    return column.align === "right" ? cell.padStart(width) : cell.padEnd(width);
  });
  return cells.join(GAP).trimEnd();
}
