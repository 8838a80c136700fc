import { RedisClient } from 'redis';

type Nothing = Record<string, never>;

/** A connection to one database of a Redis. */
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- an empty mapping of replies is the library's default
export type RedisConnection = ReturnType<typeof make<Record<never, never>>>;

export interface RedisConnectionOptions {
  readonly unixSocketPath: string;
  readonly database: number;
  /** Milliseconds. */
  readonly connectTimeout?: number;
  readonly password?: string | undefined;
}

// Made once, and without the library's modules: its createClient builds a class of some 500 methods every time, which is
// 50 ms of processor time for each connection.
// RESP 3 needs Redis 6, and everything read here has the same shape in RESP 2.
const make: ReturnType<typeof RedisClient.factory<Nothing, Nothing, Nothing, 2>> = RedisClient.factory({ RESP: 2 });

/** A connection that is yet to be made, and that ends when the server does: it never connects again by itself. */
export function redisClient(options: RedisConnectionOptions): RedisConnection {
  const { unixSocketPath, database, connectTimeout, password } = options;
  const settings = {
    RESP: 2,
    socket: {
      path: unixSocketPath,
      tls: false,
      reconnectStrategy: false,
      ...(connectTimeout === undefined ? {} : { connectTimeout }),
    },
    database,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    ...(password === undefined || password === '' ? {} : { password }),
  } as const;
  const client = make(settings);
  // Without a listener an 'error' event would end the process; the failure also reaches whoever is waiting.
  client.on('error', () => {});
  return client;
}
