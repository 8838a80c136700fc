import {
  apiV2,
  create,
  fromJsonString,
  timestampFromMs,
  toJsonString,
  type DescMessage,
  type MessageShape,
} from '@ingot/api';
import type { Clock } from '@ingot/net';
import type { Database, Row } from './database.ts';
import { number, text } from './row.ts';

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

/** A table of protobuf messages, one row each, with columns of its own to search by. */
export interface EntityTable<T> {
  get(id: string): Stored<T> | undefined;
  /** Ordered by id. `where` is SQL over the table's columns. */
  list(where?: string, ...values: string[]): Stored<T>[];
  /** Creates or replaces; a value equal to the stored one changes nothing, not even the generation. */
  put(id: string, value: T): Stored<T>;
  /** False if there was none. */
  delete(id: string): boolean;
}

export interface EntityTableOptions<Schema extends DescMessage> {
  readonly database: Database;
  readonly clock: Clock;
  readonly table: 'partition' | 'machine' | 'switch';
  readonly schema: Schema;
  /** Values of the table's own columns. */
  readonly columns?: (value: MessageShape<Schema>) => Readonly<Record<string, string>>;
}

export function entityTable<Schema extends DescMessage>(
  options: EntityTableOptions<Schema>,
): EntityTable<MessageShape<Schema>> {
  type T = MessageShape<Schema>;
  const { database, clock, table, schema } = options;
  const columnsOf: (value: T) => Readonly<Record<string, string>> = options.columns ?? (() => ({}));

  const read = (row: Row): Stored<T> => ({
    id: text(row, 'id'),
    value: fromJsonString(schema, text(row, 'body'), { ignoreUnknownFields: true }),
    generation: number(row, 'generation'),
    createdAt: number(row, 'created_at'),
    updatedAt: number(row, 'updated_at'),
  });
  const find = (id: string): Row | undefined => database.get(`SELECT * FROM ${table} WHERE id = ?`, id);

  return {
    get(id) {
      const row = find(id);
      return row === undefined ? undefined : read(row);
    },
    list(where, ...values) {
      const filter = where === undefined ? '' : ` WHERE ${where}`;
      return database.all(`SELECT * FROM ${table}${filter} ORDER BY id`, ...values).map(read);
    },
    put(id, value) {
      return database.transaction(() => {
        const body = toJsonString(schema, value);
        const before = find(id);
        if (before !== undefined && text(before, 'body') === body) return read(before);
        const now = clock.now();
        const own = columnsOf(value);
        const names = ['id', 'body', 'generation', 'created_at', 'updated_at', ...Object.keys(own)];
        const generation = before === undefined ? 1 : number(before, 'generation') + 1;
        const createdAt = before === undefined ? now : number(before, 'created_at');
        // An upsert, not REPLACE: that would delete the row first, and with it what refers to it.
        database.run(
          `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})
           ON CONFLICT (id) DO UPDATE SET ${names
             .slice(1)
             .map((name) => `${name} = excluded.${name}`)
             .join(', ')}`,
          id,
          body,
          generation,
          createdAt,
          now,
          ...Object.values(own),
        );
        return { id, value, generation, createdAt, updatedAt: now };
      });
    },
    delete: (id) => database.run(`DELETE FROM ${table} WHERE id = ?`, id) > 0,
  };
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
