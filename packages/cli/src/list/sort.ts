import { InvalidArgumentError } from 'commander';
import { CliError, CliErrorCode } from '../errors.ts';
import { compareNaturally } from '../names.ts';
import type { Column } from '../table.ts';

/** One column to sort by. */
export interface SortKey {
  readonly name: string;
  readonly descending: boolean;
}

/** What a column is called on the command line: `LAST EVENT` is `last-event`. Empty for one without a title. */
export function columnName(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}

/** Reads `rack,when:desc`; may be repeated. Throws commander's InvalidArgumentError. */
export function parseSortBy(text: string, before: readonly SortKey[] = []): readonly SortKey[] {
  const keys = text.split(',').map((part) => {
    const [, name, direction] = /^\s*([a-z0-9-]+)(?::(asc|desc))?\s*$/i.exec(part) ?? [];
    if (name === undefined)
      throw new InvalidArgumentError('Write columns with commas between them, each with :asc or :desc if you like.');
    return { name: name.toLowerCase(), descending: direction?.toLowerCase() === 'desc' };
  });
  return [...before, ...keys];
}

/**
 * The rows in the order of these columns, the first of which counts most; rows that are equal stay as they were. Lengths
 * of time go by their length, everything else as a person would sort it. Where a cell is empty the row comes last, in
 * either direction. Throws CliError for a column that there is not.
 */
export function sortRows<Row>(
  rows: readonly Row[],
  keys: readonly SortKey[],
  columns: readonly Column<Row>[],
): readonly Row[] {
  const orders = keys.map((key) => {
    const { cell } = columnOf(key.name, columns);
    const cells = new Map(rows.map((row) => [row, cell(row)]));
    const compare = comparison([...cells.values()]);
    return (a: Row, b: Row): number => {
      const [left = '', right = ''] = [cells.get(a), cells.get(b)];
      if (left === '' || right === '') return Number(left === '') - Number(right === '');
      return key.descending ? compare(right, left) : compare(left, right);
    };
  });
  return rows.toSorted((a, b) => {
    for (const order of orders) {
      const found = order(a, b);
      if (found !== 0) return found;
    }
    return 0;
  });
}

/** By the whole name, or by a word of it that no other column has: `event` is `last-event`. */
function columnOf<Row>(name: string, columns: readonly Column<Row>[]): Column<Row> {
  const named = columns.map((column) => ({ column, name: columnName(column.title) }));
  const exact = named.find((one) => one.name === name);
  if (exact !== undefined) return exact.column;
  const [found, ...others] = named.filter((one) => one.name.split('-').includes(name));
  if (found !== undefined && others.length === 0) return found.column;
  const names = named.map((one) => one.name).filter((one) => one !== '');
  throw new CliError(
    CliErrorCode.Argument,
    `there is no column "${name}" to sort by; there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ')}`,
  );
}

function comparison(cells: readonly string[]): (a: string, b: string) => number {
  const lengths = new Map(cells.map((cell) => [cell, lengthOf(cell)]));
  const isTime = cells.every((cell) => cell === '' || lengths.get(cell) !== undefined);
  return isTime ? (a, b) => (lengths.get(a) ?? 0) - (lengths.get(b) ?? 0) : compareNaturally;
}

const MILLISECONDS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** `3d 4h`, `12s`, `180ms` and `< 20s` in milliseconds; undefined for what is no length of time. */
function lengthOf(cell: string): number | undefined {
  if (!/^(?:< )?\d+(?:ms|[smhd])(?: \d+(?:ms|[smhd]))*$/.test(cell)) return undefined;
  return [...cell.matchAll(/(\d+)(ms|[smhd])/g)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (MILLISECONDS.get(unit) ?? 0),
    0,
  );
}
