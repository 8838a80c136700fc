/** What a column holds. PostgreSQL stores no NUL character in a text, so neither database takes one. */
export type SqlValue = string | number | null | Uint8Array;

/** A row as the database answers it: read it with the functions of `row.ts`. */
export type Row = Readonly<Record<string, unknown>>;

export const Dialect = { Sqlite: 'sqlite', Postgres: 'postgres' } as const;
export type Dialect = (typeof Dialect)[keyof typeof Dialect];

/**
 * Runs statements. Write SQL that SQLite and PostgreSQL both understand, with a `?` for each value; words that
 * PostgreSQL reserves, such as `user`, stand in double quotes.
 */
export interface Sql {
  /** The number of rows that were written. */
  run(sql: string, ...values: readonly SqlValue[]): Promise<number>;
  /** The first row. */
  get(sql: string, ...values: readonly SqlValue[]): Promise<Row | undefined>;
  all(sql: string, ...values: readonly SqlValue[]): Promise<Row[]>;
}

export interface TransactionOptions {
  /** `read` sees one state of the database throughout, waits for no writer and refuses to write. Default `write`. */
  readonly mode?: 'read' | 'write';
  /**
   * Transactions with the same key run one after the other, on every replica. For work that many do at once on the same
   * rows, such as `allocate:<partition>`: without a key they would be told apart only at the end, and tried again.
   */
  readonly serialise?: string;
  /** How long it may take, milliseconds. For copies of the whole database; default 30,000. */
  readonly withinMs?: number;
}

/** Where statements run: the database, each by itself, or an open transaction. */
export interface Session extends Sql {
  /**
   * Runs `work` with a session of its own: all that it writes is stored when this resolves, or, if anything in it fails,
   * nothing. Transactions behave as if they ran one after the other. In a transaction this joins the open one.
   *
   * `work` may be run several times, so it changes nothing but the database; it uses the session that it is given, and
   * waits for nothing else. Errors, also caught ones, undo all of it.
   */
  transaction<T>(work: (session: Session) => Promise<T> | T, options?: TransactionOptions): Promise<T>;
  /** Tells the subscribers of every replica, as soon as what is written with it is stored. */
  notify(channel: string, payload: string): Promise<void>;
}

/** Gets the payload of a notification; undefined when some may have been missed: then look at everything. */
export type Listener = (payload: string | undefined) => void;

/** Whether the database answers, or why not. */
export type DatabaseState = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** SQLite in one file, or PostgreSQL for several replicas. Opened by `openDatabase`. */
export interface Database extends Session, AsyncDisposable {
  readonly dialect: Dialect;
  /** Calls `listener` for each notification in the channel, from whichever replica, until disposed. */
  subscribe(channel: string, listener: Listener): Disposable;
  /** Asks the database. */
  state(): Promise<DatabaseState>;
  /** Waits for what is under way; everything later is refused. */
  close(): Promise<void>;
}
