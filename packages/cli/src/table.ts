import { displayWidth, printable } from './display-width.ts';

/** One column of a table over rows of type `Row`. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** Only with `-o wide`. */
  readonly wide?: boolean;
}

const GAP = '   ';

/** Lays out a table: left-aligned, three blanks between columns, none at the ends of lines; ends with a newline. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: { readonly wide: boolean; readonly headers: boolean },
): string {
  const shown = columns.filter((column) => options.wide || column.wide !== true);
  const lines = rows.map((row) => shown.map((column) => printable(column.cell(row))));
  if (options.headers) lines.unshift(shown.map((column) => column.title));
  const widths = shown.map((_column, index) => Math.max(0, ...lines.map((line) => displayWidth(line[index] ?? ''))));
  return lines
    .map((line) => line.map((cell, index) => cell + ' '.repeat((widths[index] ?? 0) - displayWidth(cell))).join(GAP))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}
