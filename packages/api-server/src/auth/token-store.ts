import { apiV2, fromJsonString, timestampMs, toJsonString } from '@ingot/api';
import type { Clock } from '@ingot/net';
import type { Database } from '../store/database.ts';
import { text } from '../store/row.ts';

/** Records of rights, by token UUID. A token without record is worth nothing: that is how they are revoked. */
export interface TokenStore {
  /** The record, unless it has expired. */
  get(uuid: string): apiV2.Token | undefined;
  /** All that have not expired, ordered by UUID; of one user, if given. */
  list(user?: string): apiV2.Token[];
  add(token: apiV2.Token): void;
  /** False if there was none. */
  delete(uuid: string): boolean;
  /** Forgets expired ones. */
  sweep(): void;
}

export function createTokenStore(database: Database, clock: Clock): TokenStore {
  const parse = (body: string): apiV2.Token => fromJsonString(apiV2.TokenSchema, body, { ignoreUnknownFields: true });
  return {
    get(uuid) {
      const row = database.get('SELECT body FROM token WHERE id = ? AND expires_at > ?', uuid, clock.now());
      return row === undefined ? undefined : parse(text(row, 'body'));
    },
    list(user) {
      const rows =
        user === undefined
          ? database.all('SELECT body FROM token WHERE expires_at > ? ORDER BY id', clock.now())
          : database.all('SELECT body FROM token WHERE expires_at > ? AND user = ? ORDER BY id', clock.now(), user);
      return rows.map((row) => parse(text(row, 'body')));
    },
    add(token) {
      database.run(
        'INSERT INTO token (id, body, user, expires_at) VALUES (?, ?, ?, ?)',
        token.uuid,
        toJsonString(apiV2.TokenSchema, token),
        token.user,
        token.expires === undefined ? 0 : timestampMs(token.expires),
      );
    },
    delete: (uuid) => database.run('DELETE FROM token WHERE id = ?', uuid) > 0,
    sweep: () => void database.run('DELETE FROM token WHERE expires_at <= ?', clock.now()),
  };
}
