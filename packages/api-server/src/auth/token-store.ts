import { apiV2, fromJsonString, timestampMs, toJsonString } from '@ingot/api';
import type { Clock } from '@ingot/net';
import type { Sql } from '../store/database.ts';
import { text } from '../store/row.ts';

/** Records of rights, by token UUID. A token without record is worth nothing: that is how they are revoked. */
export interface TokenStore {
  /** The record, unless it has expired. */
  get(uuid: string): Promise<apiV2.Token | undefined>;
  /** All that have not expired, ordered by UUID; of one user, if given. */
  list(user?: string): Promise<apiV2.Token[]>;
  add(token: apiV2.Token): Promise<void>;
  /** Changes what a token may do from its next call on. */
  replace(token: apiV2.Token): Promise<void>;
  /** False if there was none. */
  delete(uuid: string): Promise<boolean>;
  /** Forgets expired ones. */
  sweep(): Promise<void>;
}

export function createTokenStore(session: Sql, clock: Clock): TokenStore {
  const parse = (body: string): apiV2.Token => fromJsonString(apiV2.TokenSchema, body, { ignoreUnknownFields: true });
  return {
    async get(uuid) {
      const row = await session.get('SELECT body FROM token WHERE id = ? AND expires_at > ?', uuid, clock.now());
      return row === undefined ? undefined : parse(text(row, 'body'));
    },
    async list(user) {
      const rows =
        user === undefined
          ? await session.all('SELECT body FROM token WHERE expires_at > ? ORDER BY id', clock.now())
          : await session.all(
              'SELECT body FROM token WHERE expires_at > ? AND "user" = ? ORDER BY id',
              clock.now(),
              user,
            );
      return rows.map((row) => parse(text(row, 'body')));
    },
    async add(token) {
      await session.run(
        'INSERT INTO token (id, body, "user", expires_at) VALUES (?, ?, ?, ?)',
        token.uuid,
        toJsonString(apiV2.TokenSchema, token),
        token.user,
        token.expires === undefined ? 0 : timestampMs(token.expires),
      );
    },
    async replace(token) {
      await session.run('UPDATE token SET body = ? WHERE id = ?', toJsonString(apiV2.TokenSchema, token), token.uuid);
    },
    delete: async (uuid) => (await session.run('DELETE FROM token WHERE id = ?', uuid)) > 0,
    async sweep() {
      await session.run('DELETE FROM token WHERE expires_at <= ?', clock.now());
    },
  };
}
