import type { Dialect } from '../database.ts';

/**
 * A script for both databases, or one for each where it has to look into bodies, which they do in words of their own.
 * Both are in SQLite's types.
 */
export type Migration = string | Readonly<Record<Dialect, string>>;

/** What is run on a database of this kind, still in SQLite's types. */
export function scriptOf(migration: Migration, dialect: Dialect): string {
  return typeof migration === 'string' ? migration : migration[dialect];
}
