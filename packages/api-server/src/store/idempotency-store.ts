import { ApiError, Code } from '@ingot/api';
import type { Clock } from '@ingot/net';
import type { Session } from './database.ts';
import { number, text } from './row.ts';

/** Whose request it is. */
export interface IdempotencyKey {
  readonly user: string;
  /** `/package.Service/Method`. */
  readonly method: string;
  readonly key: string;
}

/** What was made for a key. */
export interface MadeOnce {
  /** Hash of the request. */
  readonly request: string;
  /** Id of what was made. */
  readonly made: string;
}

/** What was made for which key, for a day. */
export interface IdempotencyStore {
  get(key: IdempotencyKey): Promise<MadeOnce | undefined>;
  /** To be called in the transaction that makes it. Throws `ResourceExhausted` when the user has too many keys. */
  add(key: IdempotencyKey, made: MadeOnce): Promise<void>;
  /** Forgets those that are older than a day. */
  sweep(): Promise<void>;
}

/** Longer than any client goes on trying. */
const KEPT_MS = 24 * 60 * 60 * 1000;
/** Of one user within that time. */
const MAX_KEYS = 10_000;

export function createIdempotencyStore(session: Session, clock: Clock): IdempotencyStore {
  return {
    async get({ user, method, key }) {
      const row = await session.get(
        'SELECT request, made FROM idempotency WHERE "user" = ? AND method = ? AND key = ? AND created_at > ?',
        user,
        method,
        key,
        clock.now() - KEPT_MS,
      );
      return row === undefined ? undefined : { request: text(row, 'request'), made: text(row, 'made') };
    },
    async add({ user, method, key }, { request, made }) {
      const since = clock.now() - KEPT_MS;
      await session.run('DELETE FROM idempotency WHERE "user" = ? AND created_at <= ?', user, since);
      const row = await session.get('SELECT count(*) AS n FROM idempotency WHERE "user" = ?', user);
      if (row !== undefined && number(row, 'n') >= MAX_KEYS) {
        throw new ApiError(
          Code.ResourceExhausted,
          `user "${user}" has used ${MAX_KEYS} idempotency keys within ${KEPT_MS / 3_600_000} h: leave the header out, or wait`,
        );
      }
      await session.run(
        'INSERT INTO idempotency ("user", method, key, request, made, created_at) VALUES (?, ?, ?, ?, ?, ?)',
        user,
        method,
        key,
        request,
        made,
        clock.now(),
      );
    },
    async sweep() {
      await session.run('DELETE FROM idempotency WHERE created_at <= ?', clock.now() - KEPT_MS);
    },
  };
}
