import type { ConfigDb, Row } from './config-db.ts';
import type { RowChange } from './diff-config-db.ts';

/** One step of an RFC 6902 patch. */
export type PatchStep =
  | { readonly op: 'add'; readonly path: string; readonly value: Row | Readonly<Record<string, Row>> }
  | { readonly op: 'replace'; readonly path: string; readonly value: Row }
  | { readonly op: 'remove'; readonly path: string };

/**
 * The changes as `config apply-patch` takes them. A table's first row brings the table, and its last one takes it away,
 * as SONiC's updater refuses empty tables.
 */
export function jsonPatchOf(before: ConfigDb, after: ConfigDb, changes: readonly RowChange[]): readonly PatchStep[] {
  const steps: PatchStep[] = [];
  const whole = new Set<string>();
  for (const change of changes) {
    const { table, key } = change;
    if (whole.has(table)) continue;
    if (isEmpty(before[table])) {
      whole.add(table);
      steps.push({ op: 'add', path: pointer(table), value: after[table] ?? {} });
    } else if (isEmpty(after[table])) {
      whole.add(table);
      steps.push({ op: 'remove', path: pointer(table) });
    } else if (change.kind === 'added') {
      steps.push({ op: 'add', path: pointer(table, key), value: change.after });
    } else if (change.kind === 'removed') {
      steps.push({ op: 'remove', path: pointer(table, key) });
    } else {
      steps.push({ op: 'replace', path: pointer(table, key), value: change.after });
    }
  }
  return steps;
}

function isEmpty(rows: Readonly<Record<string, Row>> | undefined): boolean {
  return rows === undefined || Object.keys(rows).length === 0;
}

// RFC 6901 §3: the prefix length of an address has a slash.
function pointer(...parts: readonly string[]): string {
  return parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
