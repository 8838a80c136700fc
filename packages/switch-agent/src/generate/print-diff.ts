import type { RowChange } from '../config-db/diff-config-db.ts';
import { printable } from '../printable.ts';
import { Need, type TableSummary } from './reload-needs.ts';

/** The changes, one line a row and one a field; of rows that go only their key, as foreign ones may hold secrets. */
export function diffLines(changes: readonly RowChange[]): readonly string[] {
  const texts = changes.flatMap((change): readonly string[] => {
    const name = `${change.table}|${change.key}`;
    switch (change.kind) {
      case 'added':
        return [`+ ${name}`, ...Object.entries(change.after).map(([field, value]) => `  + ${field}: ${textOf(value)}`)];
      case 'removed':
        return [`- ${name}`];
      case 'changed':
        return [
          `~ ${name}`,
          ...change.fields.flatMap(({ field, before, after }) => [
            ...(before === undefined ? [] : [`  - ${field}: ${textOf(before)}`]),
            ...(after === undefined ? [] : [`  + ${field}: ${textOf(after)}`]),
          ]),
        ];
    }
  });
  return texts.map(printable);
}

/** What each table's changes need, and what all of them need. */
export function summaryLines(summaries: readonly TableSummary[]): readonly string[] {
  if (summaries.length === 0) return ['no difference'];
  const width = Math.max(...summaries.map(({ table }) => table.length));
  const lines = summaries.map(({ table, added, removed, changed, need }) => {
    const counts = [
      ...(added > 0 ? [`${added} added`] : []),
      ...(removed > 0 ? [`${removed} removed`] : []),
      ...(changed > 0 ? [`${changed} changed`] : []),
    ].join(', ');
    return `${table.padEnd(width)}  ${counts}: ${need === Need.Nothing ? 'taken while running' : `needs ${need}`}`;
  });
  const needs = new Set(summaries.map(({ need }) => need));
  needs.delete(Need.Nothing);
  if (needs.has(Need.Reload)) return [...lines, 'A reload is needed: config reload'];
  if (needs.size > 0) return [...lines, `No reload is needed, but: ${[...needs].join(', ')}`];
  return [...lines, 'No reload is needed'];
}

function textOf(value: string | readonly string[]): string {
  return typeof value === 'string' ? value : `[${value.join(', ')}]`;
}
