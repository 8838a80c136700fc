import { apiV2, timestampMs, toJsonString } from '@ingot/api';
import type { Clock } from '@ingot/net';
import { z } from 'zod';
import { readBody } from '../store/body.ts';
import type { Sql } from '../store/database.ts';
import { text } from '../store/row.ts';
import type { Lent, TokenRecord } from './caller.ts';

/** Records of rights, by token UUID. A token without record is worth nothing: that is how they are revoked. */
export interface TokenStore {
  /** The record, unless it has expired. */
  get(uuid: string): Promise<TokenRecord | undefined>;
  /** All that have not expired, ordered by UUID; of one user, if given. */
  list(user?: string): Promise<apiV2.Token[]>;
  add(record: TokenRecord): Promise<void>;
  /** Changes what a token may do from its next call on. */
  replace(record: TokenRecord): Promise<void>;
  /** False if there was none. */
  delete(uuid: string): Promise<boolean>;
  /** Forgets expired ones. */
  sweep(): Promise<void>;
}

const lentSchema = z.strictObject({ maker: z.string(), subjects: z.array(z.string()) });

function lentOf(json: string): Lent | undefined {
  return json === '' ? undefined : lentSchema.parse(JSON.parse(json));
}

export function createTokenStore(session: Sql, clock: Clock): TokenStore {
  const parse = (body: string): apiV2.Token => readBody(apiV2.TokenSchema, body);
  return {
    async get(uuid) {
      const row = await session.get('SELECT body, lent FROM token WHERE id = ? AND expires_at > ?', uuid, clock.now());
      return row === undefined ? undefined : { token: parse(text(row, 'body')), lent: lentOf(text(row, 'lent')) };
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
    async add({ token, lent }) {
      await session.run(
        'INSERT INTO token (id, body, "user", expires_at, lent) VALUES (?, ?, ?, ?, ?)',
        token.uuid,
        toJsonString(apiV2.TokenSchema, token),
        token.user,
        token.expires === undefined ? 0 : timestampMs(token.expires),
        lent === undefined ? '' : JSON.stringify(lent),
      );
    },
    async replace({ token, lent }) {
      await session.run(
        'UPDATE token SET body = ?, lent = ? WHERE id = ?',
        toJsonString(apiV2.TokenSchema, token),
        lent === undefined ? '' : JSON.stringify(lent),
        token.uuid,
      );
    },
    delete: async (uuid) => (await session.run('DELETE FROM token WHERE id = ?', uuid)) > 0,
    async sweep() {
      await session.run('DELETE FROM token WHERE expires_at <= ?', clock.now());
    },
  };
}
