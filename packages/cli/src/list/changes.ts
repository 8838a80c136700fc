import { printableLines } from '../display-width.ts';
import type { CliIo } from '../io.ts';
import { formatJson, formatJsonLine } from '../output.ts';
import { type Column, layOut } from '../table.ts';
import type { Template } from '../template/template.ts';
import type { ListFlags, ListView } from './list.ts';

/** What has become of a row since the last look; `there` in the first one. */
type Change = 'there' | 'new' | 'changed' | 'gone';

interface Changed<Row> {
  readonly change: Change;
  readonly row: Row;
}

interface Options<Row> {
  readonly flags: ListFlags;
  readonly io: CliIo;
  readonly view: ListView<Row>;
  readonly template: Template | undefined;
}

/** Prints the list once, and then a line for each row that is new, has changed, or is gone. */
export function changePrinter<Row>(options: Options<Row>): {
  rows(rows: readonly Row[]): void;
  away(): void;
  end(): void;
} {
  const { flags, view } = options;
  let before: ReadonlyMap<string, { readonly row: Row; readonly mark: string }> | undefined;
  let widths: readonly number[] = [];
  const marks = markOf(options);
  return {
    rows(rows) {
      const now = new Map(rows.map((row) => [view.key(row), { row, mark: marks(row) }]));
      const changed: Changed<Row>[] = [...now].flatMap(([key, { row, mark }]): Changed<Row>[] => {
        const old = before?.get(key);
        if (before === undefined) return [{ change: 'there', row }];
        if (old === undefined) return [{ change: 'new', row }];
        return old.mark === mark ? [] : [{ change: 'changed', row }];
      });
      for (const [key, { row }] of before ?? []) if (!now.has(key)) changed.push({ change: 'gone', row });
      const isFirst = before === undefined;
      before = now;
      if (changed.length > 0 || isFirst) widths = print(options, changed, widths, isFirst && flags.headers);
    },
    away: () => {},
    end: () => {},
  };
}

/** What has to differ for a row to have changed: what is shown of it, but not how long ago something was. */
function markOf<Row>({ flags, view, io, template }: Options<Row>): (row: Row) => string {
  if (template !== undefined) return (row) => template.render(view.json(row));
  if (flags.output === 'json' || flags.output === 'yaml') return (row) => JSON.stringify(view.json(row));
  return (row) =>
    JSON.stringify(
      view
        .columns(io.now())
        .filter(({ passing, wide }) => passing !== true && (flags.output === 'wide' || wide !== true))
        .map(({ cell }) => cell(row)),
    );
}

function print<Row>(
  { flags, io, view, template }: Options<Row>,
  changed: readonly Changed<Row>[],
  widths: readonly number[],
  headers: boolean,
): readonly number[] {
  const at = new Date(io.now()).toISOString();
  if (template !== undefined) {
    for (const { change, row } of changed) if (change !== 'gone') io.stdout(template.render(view.json(row)));
    return widths;
  }
  if (flags.output === 'json' || flags.output === 'yaml') {
    for (const { change, row } of changed) {
      const item = { at, change, item: view.json(row) };
      io.stdout(flags.output === 'json' ? formatJsonLine(item) : `---\n${formatJson(item, 'yaml')}`);
    }
    return widths;
  }
  const columns: readonly Column<Changed<Row>>[] = [
    { title: 'AT', cell: () => at.slice(11, 19) },
    { title: 'CHANGE', cell: ({ change }) => change },
    ...view.columns(io.now()).map(({ title, cell, wide }) => ({
      title,
      cell: ({ row }: Changed<Row>) => cell(row),
      ...(wide === undefined ? {} : { wide }),
    })),
  ];
  const laid = layOut(columns, changed, { wide: flags.output === 'wide', headers, widths });
  io.stdout(printableLines(laid.text));
  return laid.widths;
}
