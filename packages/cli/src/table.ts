import { displayWidth, printable } from './display-width.ts';
import type { Paint, Tone } from './style.ts';

/** One column of a table over rows of type `Row`. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** Only with `-o wide`. */
  readonly wide?: boolean;
  /** Changes as time goes by, although nothing has happened. */
  readonly passing?: boolean;
  /** How it is painted on a terminal. */
  readonly tone?: (row: Row) => Tone | undefined;
}

export interface TableOptions {
  readonly wide: boolean;
  readonly headers: boolean;
  readonly paint?: Paint;
  /** Widths that columns have at least, such as those of an earlier table above this one. */
  readonly widths?: readonly number[];
}

const GAP = '   ';

/** Lays out a table: left-aligned, three blanks between columns, none at the ends of lines; ends with a newline. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], options: TableOptions): string {
  return layOut(columns, rows, options).text;
}

/** `renderTable`, with the widths that the columns got. */
export function layOut<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { wide, headers, paint = (text) => text, widths: least = [] }: TableOptions,
): { readonly text: string; readonly widths: readonly number[] } {
  const shown = columns.filter((column) => wide || column.wide !== true);
  const lines = rows.map((row) =>
    shown.map((column) => {
      const text = printable(column.cell(row));
      return { text, width: displayWidth(text), tone: column.tone?.(row) };
    }),
  );
  if (headers) lines.unshift(shown.map(({ title }) => ({ text: title, width: displayWidth(title), tone: undefined })));
  const widths = shown.map((_column, index) =>
    lines.reduce((widest, line) => Math.max(widest, line[index]?.width ?? 0), least[index] ?? 0),
  );
  const text = lines
    .map((line) => {
      const last = line.findLastIndex((cell) => cell.width > 0);
      const cells = line.slice(0, last + 1).map(({ text: cell, width, tone }, index) => {
        const painted = tone === undefined || width === 0 ? cell : paint(cell, tone);
        return index === last ? painted : painted + ' '.repeat((widths[index] ?? 0) - width);
      });
      return `${cells.join(GAP).trimEnd()}\n`;
    })
    .join('');
  return { text, widths };
}
