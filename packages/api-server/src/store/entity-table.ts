import {
  ApiError,
  apiV2,
  clone,
  Code,
  create,
  timestampFromMs,
  toJsonString,
  type DescMessage,
  type MessageShape,
} from '@ingot/api';
import type { Clock } from '@ingot/net';
import { readBody } from './body.ts';
import type { Row, Session, SqlValue } from './database.ts';
import { aborted } from './errors.ts';
import { Overtaken } from './overtaken.ts';
import { number, text } from './row.ts';
import { inParts, sqlList } from './sql-list.ts';
import { turns } from './turns.ts';

/** One stored version of an entity. */
export interface Stored<T> {
  readonly id: string;
  readonly value: T;
  /** 1 for a new entity, one more with every change. */
  readonly generation: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What rows must hold: a value in each named column, one of a list of values, or another value than this. */
export type Filter<Column extends string> = Readonly<
  Partial<Record<Column, SqlValue | readonly string[] | { readonly not: string } | undefined>>
>;

/** A table of protobuf messages, one row each, with columns of its own to search by. */
export interface EntityTable<T, Column extends string = never> {
  get(id: string): Promise<Stored<T> | undefined>;
  /** Whether there is one, without reading it. */
  has(id: string): Promise<boolean>;
  /** Throws `NotFound`. */
  need(id: string): Promise<Stored<T>>;
  /** Those of these IDs that there are, by ID. */
  getMany(ids: readonly string[]): Promise<Map<string, Stored<T>>>;
  /** Ordered by ID. Everybody waits while it reads: not for thousands, for which there are `ids` and `some`. */
  list(filter?: Filter<Column>): Promise<Stored<T>[]>;
  /**
   * The IDs of those, in order. With `mention` of those only whose body has this JSON string somewhere: what may mean
   * something, to be read and looked at.
   */
  ids(filter?: Filter<Column | 'id'>, mention?: string): Promise<string[]>;
  /**
   * These in the order of their IDs, a few at a time (64, unless they are larger than machines), with a turn for others in
   * between; what is gone by then is left out.
   */
  some(ids: readonly string[], atOnce?: number): AsyncGenerator<Stored<T>[]>;
  count(filter?: Filter<Column>): Promise<number>;
  /** Throws `AlreadyExists`. */
  create(id: string, value: T): Promise<Stored<T>>;
  /** Creates or replaces; a value equal to the stored one changes nothing, not even the generation. */
  put(id: string, value: T): Promise<Stored<T>>;
  /**
   * Replaces the value that `generation` was read with. Throws `Aborted` when somebody has changed it since, `NotFound`
   * when it is gone.
   */
  update(id: string, value: T, generation: number): Promise<Stored<T>>;
  /**
   * Stores what became of `before`, which was read outside of this transaction, undefined for nothing. Throws `Overtaken`
   * when that is not what is stored any more. As `put` it changes nothing for an equal value, unless `touch` is set. What
   * it writes over it does not read: on PostgreSQL it comes into conflict with those only who write this very row.
   */
  swap(before: Stored<T> | undefined, id: string, value: T, touch?: boolean): Promise<Stored<T>>;
  /** Stores a new generation of the same value, if there is one. */
  touch(id: string): Promise<void>;
  /** Changes a copy of the stored value and stores it. Throws `NotFound`, and what `edit` throws. */
  edit(id: string, edit: (value: T, stored: Stored<T>) => void): Promise<Stored<T>>;
  /** False if there was none. With a generation it throws `Aborted` when somebody has changed it since. */
  delete(id: string, generation?: number): Promise<boolean>;
}

export interface EntityTableOptions<Schema extends DescMessage, Column extends string> {
  readonly session: Session;
  readonly clock: Clock;
  /** A word of this program, never of a request. */
  readonly table: string;
  /** What one is called in errors; default the table's name. */
  readonly noun?: string;
  readonly schema: Schema;
  /** Values of the table's own columns. */
  readonly columns?: (value: MessageShape<Schema>, id: string) => Readonly<Record<Column, SqlValue>>;
  /**
   * What of a value the subscribers of the channel named like the table wait for; empty for nothing. They are told the ID
   * when it changes, and of deletions. Nobody else is told anything: PostgreSQL stores transactions that tell something one
   * after the other.
   */
  readonly told?: (value: MessageShape<Schema>) => string;
}

export function entityTable<Schema extends DescMessage, Column extends string = never>(
  options: EntityTableOptions<Schema, Column>,
): EntityTable<MessageShape<Schema>, Column> {
  type T = MessageShape<Schema>;
  const { session, clock, table, schema } = options;
  const noun = options.noun ?? table;

  const read = (row: Row): Stored<T> => ({
    ...bookkeeping(row),
    value: readBody(schema, text(row, 'body')),
  });
  const columnsOf = (value: T, id: string): [string, SqlValue][] =>
    Object.entries<SqlValue>(options.columns?.(value, id) ?? {});
  const missing = (id: string): ApiError => new ApiError(Code.NotFound, `there is no ${noun} "${id}"`);

  const get = async (id: string): Promise<Stored<T> | undefined> => {
    const row = await session.get(`SELECT * FROM ${table} WHERE id = ?`, id);
    return row === undefined ? undefined : read(row);
  };
  const need = async (id: string): Promise<Stored<T>> => {
    const stored = await get(id);
    if (stored === undefined) throw missing(id);
    return stored;
  };

  const tell = async (inner: Session, id: string, before: T | undefined, value: T): Promise<void> => {
    if (options.told === undefined) return;
    if ((before === undefined ? '' : options.told(before)) !== options.told(value)) await inner.notify(table, id);
  };

  const insert = async (inner: Session, id: string, value: T): Promise<Stored<T> | undefined> => {
    const now = clock.now();
    const own = columnsOf(value, id);
    const names = ['id', 'body', 'generation', 'created_at', 'updated_at', ...own.map(([name]) => name)];
    const written = await inner.run(
      `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')}) ON CONFLICT (id) DO NOTHING`,
      id,
      toJsonString(schema, value),
      1,
      now,
      now,
      ...own.map(([, column]) => column),
    );
    if (written === 0) return undefined;
    await tell(inner, id, undefined, value);
    return { id, value, generation: 1, createdAt: now, updatedAt: now };
  };

  const replace = async (inner: Session, before: Row, value: T): Promise<Stored<T>> => {
    const body = toJsonString(schema, value);
    if (text(before, 'body') === body) return { ...bookkeeping(before), value };
    const now = clock.now();
    const old = bookkeeping(before);
    const own = columnsOf(value, old.id);
    const generation = old.generation + 1;
    await inner.run(
      `UPDATE ${table} SET body = ?, generation = ?, updated_at = ?${own.map(([name]) => `, ${name} = ?`).join('')} WHERE id = ?`,
      body,
      generation,
      now,
      ...own.map(([, column]) => column),
      old.id,
    );
    if (options.told !== undefined) await tell(inner, old.id, read(before).value, value);
    return { ...old, value, generation, updatedAt: now };
  };

  const checkGeneration = (before: Row, generation: number | undefined): void => {
    const found = number(before, 'generation');
    if (generation === undefined || generation === found) return;
    throw aborted(
      `${noun} "${text(before, 'id')}" was changed by somebody else (generation ${found}, not ${generation}): ` +
        'get it again, and repeat your change on it',
    );
  };
  const find = (inner: Session, id: string): Promise<Row | undefined> =>
    inner.get(`SELECT * FROM ${table} WHERE id = ?`, id);

  return {
    get,
    need,
    has: async (id) => (await session.get(`SELECT 1 AS found FROM ${table} WHERE id = ?`, id)) !== undefined,
    async getMany(ids) {
      const found = new Map<string, Stored<T>>();
      const distinct = [...new Set(ids)];
      for (const part of inParts(distinct)) {
        const { where, values } = condition({ id: part });
        for (const row of await session.all(`SELECT * FROM ${table}${where}`, ...values)) {
          const stored = read(row);
          found.set(stored.id, stored);
        }
      }
      return found;
    },
    async list(filter) {
      const { where, values } = condition(filter ?? {});
      return (await session.all(`SELECT * FROM ${table}${where} ORDER BY id`, ...values)).map(read);
    },
    async ids(filter, mention) {
      const { where, values } = condition(filter ?? {});
      const mentions = mention === undefined ? '' : `${where === '' ? ' WHERE' : ' AND'} body LIKE ? ESCAPE '!'`;
      const pattern = mention === undefined ? [] : [`%${JSON.stringify(mention).replaceAll(/[!%_]/g, '!$&')}%`];
      const rows = await session.all(`SELECT id FROM ${table}${where}${mentions} ORDER BY id`, ...values, ...pattern);
      return rows.map((row) => text(row, 'id'));
    },
    async *some(ids, atOnce) {
      for await (const part of turns(ids, atOnce)) {
        const { where, values } = condition({ id: part });
        yield (await session.all(`SELECT * FROM ${table}${where} ORDER BY id`, ...values)).map(read);
      }
    },
    async count(filter) {
      const { where, values } = condition(filter ?? {});
      const row = await session.get(`SELECT count(*) AS found FROM ${table}${where}`, ...values);
      return row === undefined ? 0 : number(row, 'found');
    },
    create: (id, value) =>
      session.transaction(async (inner) => {
        const stored = await insert(inner, id, value);
        if (stored === undefined) throw new ApiError(Code.AlreadyExists, `there is a ${noun} "${id}" already`);
        return stored;
      }),
    put: (id, value) =>
      session.transaction(async (inner) => {
        const before = await find(inner, id);
        if (before !== undefined) return replace(inner, before, value);
        const stored = await insert(inner, id, value);
        if (stored === undefined) throw aborted(`${noun} "${id}" was created by somebody else: try again`);
        return stored;
      }),
    update: (id, value, generation) =>
      session.transaction(async (inner) => {
        const before = await find(inner, id);
        if (before === undefined) throw missing(id);
        checkGeneration(before, generation);
        return replace(inner, before, value);
      }),
    swap: (before, id, value, touch = false) =>
      session.transaction(async (inner) => {
        const overtaken = (): Overtaken => new Overtaken(`${noun} "${id}" was changed by somebody else`);
        if (before === undefined) {
          const stored = await insert(inner, id, value);
          if (stored === undefined) throw overtaken();
          return stored;
        }
        const body = toJsonString(schema, value);
        if (!touch && body === toJsonString(schema, before.value)) {
          const row = await inner.get(`SELECT generation FROM ${table} WHERE id = ?`, id);
          if (row === undefined || number(row, 'generation') !== before.generation) throw overtaken();
          return before;
        }
        const now = clock.now();
        const own = columnsOf(value, id);
        const names = ['id', 'body', 'generation', 'created_at', 'updated_at', ...own.map(([name]) => name)];
        const changed = ['body', 'updated_at', ...own.map(([name]) => name)];
        // An UPDATE would read the page of the index that the row stands on.
        const row = await inner.get(
          `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})
           ON CONFLICT (id) DO UPDATE SET generation = ${table}.generation + 1,
           ${changed.map((name) => `${name} = excluded.${name}`).join(', ')}
           WHERE ${table}.generation = ? RETURNING generation`,
          id,
          body,
          0,
          before.createdAt,
          now,
          ...own.map(([, column]) => column),
          before.generation,
        );
        // 0: it was deleted, and this would make it anew.
        if (row === undefined || number(row, 'generation') === 0) throw overtaken();
        await tell(inner, id, before.value, value);
        return { ...before, value, generation: before.generation + 1, updatedAt: now };
      }),
    async touch(id) {
      await session.run(
        `UPDATE ${table} SET generation = generation + 1, updated_at = ? WHERE id = ?`,
        clock.now(),
        id,
      );
    },
    edit: (id, edit) =>
      session.transaction(async (inner) => {
        const before = await find(inner, id);
        if (before === undefined) throw missing(id);
        const stored = read(before);
        const value = clone(schema, stored.value);
        edit(value, stored);
        return replace(inner, before, value);
      }),
    delete: (id, generation) =>
      session.transaction(async (inner) => {
        const before = await find(inner, id);
        if (before === undefined) return false;
        checkGeneration(before, generation);
        await inner.run(`DELETE FROM ${table} WHERE id = ?`, id);
        if (options.told !== undefined) await inner.notify(table, id);
        return true;
      }),
  };
}

function bookkeeping(row: Row): Omit<Stored<unknown>, 'value'> {
  return {
    id: text(row, 'id'),
    generation: number(row, 'generation'),
    createdAt: number(row, 'created_at'),
    updatedAt: number(row, 'updated_at'),
  };
}

/** Column names come from the program, values from anywhere. */
function condition(filter: Filter<string>): { readonly where: string; readonly values: readonly SqlValue[] } {
  const terms: string[] = [];
  const values: SqlValue[] = [];
  for (const [column, wanted] of Object.entries(filter)) {
    if (wanted === undefined) continue;
    if (wanted === null) terms.push(`${column} IS NULL`);
    else if (isList(wanted)) {
      const list = sqlList(wanted);
      terms.push(`${column} IN (${list.marks})`);
      values.push(...list.values);
    } else if (isOther(wanted)) {
      terms.push(`${column} <> ?`);
      values.push(wanted.not);
    } else {
      terms.push(`${column} = ?`);
      values.push(wanted);
    }
  }
  return { where: terms.length === 0 ? '' : ` WHERE ${terms.join(' AND ')}`, values };
}

type Wanted = Exclude<Filter<string>[string], null | undefined>;

function isList(wanted: Wanted): wanted is readonly string[] {
  return Array.isArray(wanted);
}

function isOther(wanted: Wanted): wanted is { readonly not: string } {
  return typeof wanted === 'object' && 'not' in wanted;
}

/** The bookkeeping of an entity as clients see it; labels are the entity's own. */
export function metaOf(stored: Stored<unknown>, labels?: apiV2.Labels): apiV2.Meta {
  return create(apiV2.MetaSchema, {
    ...(labels === undefined ? {} : { labels }),
    createdAt: timestampFromMs(stored.createdAt),
    updatedAt: timestampFromMs(stored.updatedAt),
    generation: BigInt(stored.generation),
  });
}
