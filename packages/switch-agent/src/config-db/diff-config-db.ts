import type { ConfigDb, Row } from './config-db.ts';
import { codeOrder, naturalOrder } from './natural-order.ts';

/** What has to happen to one row. */
export type RowChange =
  | { readonly kind: 'added'; readonly table: string; readonly key: string; readonly after: Row }
  | { readonly kind: 'removed'; readonly table: string; readonly key: string; readonly before: Row }
  | {
      readonly kind: 'changed';
      readonly table: string;
      readonly key: string;
      readonly before: Row;
      readonly after: Row;
      /** The fields that differ, by code. */
      readonly fields: readonly FieldChange[];
    };

/** What has to happen to one field of a row that stays. */
export interface FieldChange {
  readonly field: string;
  /** Undefined: the field is new. */
  readonly before: string | readonly string[] | undefined;
  /** Undefined: the field goes. */
  readonly after: string | readonly string[] | undefined;
}

/** What makes `after` out of `before`, removals included; tables by code, rows in natural order. */
export function diffConfigDb(before: ConfigDb, after: ConfigDb): readonly RowChange[] {
  const tables = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...tables]
    .toSorted(codeOrder)
    .flatMap((table) => diffTable(table, rowsOf(before, table), rowsOf(after, table)));
}

/** The fields that differ between two states of a row; none when they are the same. */
export function diffRow(before: Row, after: Row): readonly FieldChange[] {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...fields].toSorted(codeOrder).flatMap((field) => {
    const [old, next] = [fieldOf(before, field), fieldOf(after, field)];
    return sameValue(old, next) ? [] : [{ field, before: old, after: next }];
  });
}

function diffTable(
  table: string,
  before: Readonly<Record<string, Row>>,
  after: Readonly<Record<string, Row>>,
): readonly RowChange[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].toSorted(naturalOrder).flatMap((key): readonly RowChange[] => {
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    const next = Object.hasOwn(after, key) ? after[key] : undefined;
    if (old === undefined) return next === undefined ? [] : [{ kind: 'added', table, key, after: next }];
    if (next === undefined) return [{ kind: 'removed', table, key, before: old }];
    const fields = diffRow(old, next);
    return fields.length === 0 ? [] : [{ kind: 'changed', table, key, before: old, after: next, fields }];
  });
}

type Value = string | readonly string[] | undefined;

// A list and a text are two different fields in Redis, and the order of a list may matter (name servers).
function sameValue(left: Value, right: Value): boolean {
  if (typeof left === 'string' || typeof right === 'string' || left === undefined || right === undefined) {
    return left === right;
  }
  return left.length === right.length && left.every((item, index) => item === right[index]);
}

function rowsOf(configDb: ConfigDb, table: string): Readonly<Record<string, Row>> {
  return Object.hasOwn(configDb, table) ? (configDb[table] ?? {}) : {};
}

function fieldOf(row: Row, field: string): Value {
  return Object.hasOwn(row, field) ? row[field] : undefined;
}
