import { type Api, withApi } from '../api.ts';
import type { ContextFlags } from '../context.ts';
import { ApiError } from '@ingot/api';
import type { CliIo } from '../io.ts';
import { formatJson, type Json, type ListFormat } from '../output.ts';
import { outputPaint } from '../style.ts';
import { type Column, renderTable } from '../table.ts';
import { checkFields } from '../template/fields.ts';
import { requireTemplate } from '../template/template.ts';
import { sortRows, type SortKey } from './sort.ts';
import { watchList } from './watch.ts';

/** What every `ls` understands. */
export interface ListFlags {
  readonly output: ListFormat;
  readonly template?: string;
  readonly headers: boolean;
  readonly sortBy?: readonly SortKey[];
  readonly watch?: boolean;
  /** Seconds between two looks. */
  readonly interval: number;
}

/** How rows of one kind are shown. */
export interface ListView<Row> {
  readonly columns: (nowMs: number) => readonly Column<Row>[];
  readonly json: (row: Row) => Json;
  /** What a row is known by from one look to the next. */
  readonly key: (row: Row) => string;
  /** Names of the fields that `json` can give; undefined: they are not objects. */
  readonly fields: readonly string[] | undefined;
}

/** Shows what `fetch` gives, once, or again and again with `--watch`. Throws CliError. */
export async function showList<Row>(
  flags: ListFlags,
  io: CliIo,
  view: ListView<Row>,
  given: () => Promise<readonly Row[]>,
): Promise<void> {
  const { output, headers, sortBy } = flags;
  // A wrong column is told before anybody is asked.
  if (sortBy !== undefined) sortRows([], sortBy, view.columns(0));
  const fetch = async (): Promise<readonly Row[]> =>
    sortBy === undefined ? given() : sortRows(await given(), sortBy, view.columns(io.now()));
  const template = output === 'template' || flags.template !== undefined ? requireTemplate(flags.template) : undefined;
  if (template !== undefined && view.fields !== undefined) checkFields(template, view.fields);
  if (flags.watch === true) return watchList({ flags, io, view, template, fetch });
  const rows = await fetch();
  if (template !== undefined) {
    for (const row of rows) io.stdout(template.render(view.json(row)));
    return;
  }
  if (output === 'json' || output === 'yaml') return io.stdout(formatJson(rows.map(view.json), output));
  const options = { wide: output === 'wide', headers, paint: outputPaint(io) };
  const text = renderTable(view.columns(io.now()), rows, options);
  // Cells are clean, and what paints them is ours.
  if (io.screen === undefined) io.stdout(text);
  else io.screen.draw(text);
}

/** `showList` of what the API server has. */
export function showApiList<Row>(
  flags: ListFlags & ContextFlags,
  io: CliIo,
  view: ListView<Row>,
  fetch: (api: Api) => Promise<readonly Row[]>,
): Promise<void> {
  return withApi(flags, io, (api) =>
    showList(flags, io, view, async () => {
      try {
        return await fetch(api);
      } catch (error) {
        throw error instanceof ApiError ? api.explain(error) : error;
      }
    }),
  );
}
