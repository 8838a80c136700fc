import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { keepNewest } from '../limits/keep-newest.ts';
import { numberOf, textOf } from './database.ts';
import type { GroupCommit } from './group-commit.ts';

/** What is known of one NIC. */
export interface NicEntry<T> {
  value: T;
  /** Number of its row; of one that was not written yet, the number that the next row had. */
  readonly row: number;
  isOnDisk: boolean;
}

/**
 * Kept in memory, and as a log on disk: new rows stand side by side on one page, so that hundreds of NICs cost one
 * write. The newest row of a NIC counts.
 */
export interface NicLog<T> {
  find(mac: string): NicEntry<T> | undefined;
  /** As the newest of its NIC, in memory only. */
  hold(mac: string, value: T): void;
  /** As the newest of its NIC, also on disk. */
  write(mac: string, value: T): void;
}

export interface NicLogOptions<T> {
  readonly database: DatabaseSync;
  readonly commits: GroupCommit | undefined;
  /** Has the columns `id INTEGER PRIMARY KEY`, `mac` and `columns`. */
  readonly table: string;
  readonly columns: readonly string[];
  readonly toRow: (value: T) => readonly SQLInputValue[];
  readonly fromRow: (row: Readonly<Record<string, unknown>>) => T;
  /** NICs, whose oldest go. The table has at most `ROWS_PER_NIC` rows for each, and those of the last `PRUNE_EVERY` writes. */
  readonly max: number;
}

const PRUNE_EVERY = 1_024;
/** More than one, so that a NIC that comes again and again does not have the whole log pruned. */
const ROWS_PER_NIC = 2;

export function nicLog<T>(options: NicLogOptions<T>): NicLog<T> {
  const { database, commits, table, columns, toRow, fromRow, max } = options;
  const names = ['id', 'mac', ...columns];
  const put = database.prepare(`INSERT INTO ${table} (${names.join()}) VALUES (${names.map(() => '?').join()})`);
  const prune = database.prepare(`DELETE FROM ${table} WHERE id < ?`);
  /** In the order of their rows. */
  const known = new Map<string, NicEntry<T>>();
  let nextRow = 1;
  let sincePrune = 0;
  for (const row of database.prepare(`SELECT ${names.join()} FROM ${table} ORDER BY id`).iterate()) {
    const id = numberOf(row['id'], 'id');
    keepNewest(known, textOf(row['mac'], 'mac'), { value: fromRow(row), row: id, isOnDisk: true }, max);
    nextRow = id + 1;
  }
  let firstRow = oldestRow();
  commits?.onRollback(() => {
    for (const each of known.values()) each.isOnDisk = false;
  });

  function oldestRow(): number {
    for (const { row } of known.values()) return row;
    return nextRow;
  }
  function append(mac: string, value: T): void {
    commits?.willWrite();
    put.run(nextRow, mac, ...toRow(value));
    keepNewest(known, mac, { value, row: nextRow, isOnDisk: true }, max);
    nextRow += 1;
  }
  function pruneLog(): void {
    if (nextRow - firstRow > ROWS_PER_NIC * max) {
      // NICs that were not heard of for long keep the old end of the log alive: they move to its new end.
      for (const [mac, { value }] of [...known.entries()].slice(0, PRUNE_EVERY)) append(mac, value);
    }
    firstRow = oldestRow();
    prune.run(firstRow);
  }

  return {
    find: (mac) => known.get(mac),
    hold: (mac, value) => keepNewest(known, mac, { value, row: nextRow, isOnDisk: false }, max),
    write: (mac, value) => {
      append(mac, value);
      sincePrune += 1;
      if (sincePrune < PRUNE_EVERY) return;
      sincePrune = 0;
      pruneLog();
    },
  };
}
