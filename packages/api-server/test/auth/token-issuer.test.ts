import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiV2, Code, create, timestampMs } from '@ingot/api';
import { MockClock, systemEntropy } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import { ensureAdminToken } from '../../src/auth/admin-token.ts';
import { createTokenIssuer, expiryOf, type TokenIssuer } from '../../src/auth/token-issuer.ts';
import { createSecretStore } from '../../src/store/secret-store.ts';
import { createStores, type Stores } from '../../src/store/stores.ts';
import { sqlitePlace } from '../store/sqlite-place.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

interface Kit {
  readonly clock: MockClock;
  readonly stores: Stores;
  readonly issuer: TokenIssuer;
  /** The issuer of another run on the same database, which remembers no signature. */
  readonly again: () => Promise<TokenIssuer>;
  readonly directory: string;
}

async function withIssuer(work: (kit: Kit) => Promise<void>): Promise<void> {
  await using place = await sqlitePlace();
  const clock = new MockClock();
  await using database = await place.open(clock);
  const stores = createStores(database, clock);
  const again = (): Promise<TokenIssuer> =>
    createTokenIssuer({
      secrets: createSecretStore(database),
      tokens: stores.tokens,
      clock,
      entropy: systemEntropy,
      issuer: 'https://api',
    });
  const directory = await mkdtemp(join(tmpdir(), 'ingot-token-'));
  try {
    await work({ clock, stores, issuer: await again(), again, directory });
  } finally {
    await rm(directory, { recursive: true });
  }
}

const grant = {
  user: 'alice',
  description: 'a test',
  tokenType: apiV2.TokenType.API,
  lifetimeMs: 3_600_000,
} as const;

describe('a token', () => {
  test('stands for the record that was stored with it', () =>
    withIssuer(async ({ issuer, again, clock }) => {
      const labels = create(apiV2.LabelsSchema, { labels: { team: 'a' } });
      const lent = { maker: 'bob', subjects: ['p1'] };
      const { token, secret } = await issuer.issue({ ...grant, labels, lent, infraRole: apiV2.InfraRole.VIEWER });
      expect(token).toMatchObject({ user: 'alice', infraRole: apiV2.InfraRole.VIEWER, meta: { labels } });
      expect([token.issuedAt, token.expires].map((at) => at && timestampMs(at))).toEqual([
        clock.now(),
        clock.now() + 3_600_000,
      ]);
      for (const each of [issuer, await again()]) {
        const caller = await each.authenticate(secret);
        expect(caller).toEqual({ kind: 'token', token, lent });
        expect(expiryOf(caller)).toBe(clock.now() + 3_600_000);
      }
      const anonymous = await issuer.authenticate(undefined);
      expect([anonymous, expiryOf(anonymous)]).toEqual([{ kind: 'anonymous' }, Number.POSITIVE_INFINITY]);
    }));

  test('is good until it ends or is revoked, whether it was seen before or not', () =>
    withIssuer(async ({ issuer, again, clock, stores }) => {
      const { secret } = await issuer.issue(grant);
      const revoked = await issuer.issue(grant);
      await issuer.authenticate(revoked.secret);
      await stores.tokens.delete(revoked.token.uuid);
      const refused = { code: Code.Unauthenticated, message: expect.stringContaining('ask for another one') };
      await expect(issuer.authenticate(revoked.secret)).rejects.toMatchObject(refused);
      await clock.advance(3_599_999);
      await issuer.authenticate(secret);
      await clock.advance(1);
      for (const each of [issuer, await again()])
        await expect(each.authenticate(secret)).rejects.toMatchObject(refused);
    }));

  test('may be of a clock that is half a minute ahead, and no more, whether it was seen before or not', () =>
    withIssuer(async ({ issuer, again, clock }) => {
      const { secret } = await issuer.issue(grant);
      await issuer.authenticate(secret);
      clock.stepWallClock(-30_000);
      for (const each of [issuer, await again()]) await each.authenticate(secret);
      clock.stepWallClock(-1_000);
      for (const each of [issuer, await again()])
        await expect(each.authenticate(secret)).rejects.toMatchObject({
          code: Code.Unauthenticated,
          message: expect.stringContaining('compare the clocks'),
        });
    }));

  test.each([
    [
      'of another server',
      (secret: string) => secret.replace(/[^.]+$/, (signature) => `${signature.slice(0, -8)}AAAAAAAA`),
    ],
    ['that is none', () => 'abc'],
    ['that is empty', () => ''],
  ])('%s is refused', (_what, change) =>
    withIssuer(async ({ issuer }) => {
      const { secret } = await issuer.issue(grant);
      await expect(issuer.authenticate(change(secret))).rejects.toMatchObject({
        code: Code.Unauthenticated,
        message: expect.stringContaining('no token of this server'),
      });
    }),
  );
});

describe('the token of the operator', () => {
  test('is made once, for a year, with all rights, for its owner’s eyes', () =>
    withIssuer(async ({ issuer, clock, directory }) => {
      const path = join(directory, 'admin.token');
      expect(await ensureAdminToken(path, issuer, clock)).toBe(true);
      expect(((await stat(path)).mode & 0o777).toString(8)).toBe('600');
      const secret = (await readFile(path, 'utf8')).trim();
      const caller = await issuer.authenticate(secret);
      expect(caller).toMatchObject({
        token: { user: 'admin', adminRole: apiV2.AdminRole.EDITOR, tokenType: apiV2.TokenType.USER },
      });
      expect(expiryOf(caller)).toBe(clock.now() + 365 * DAY_MS);
      expect(await ensureAdminToken(path, issuer, clock)).toBe(false);
      expect((await readFile(path, 'utf8')).trim()).toBe(secret);
    }));

  test('is made anew thirty days before its end', () =>
    withIssuer(async ({ issuer, clock, directory }) => {
      const path = join(directory, 'admin.token');
      await ensureAdminToken(path, issuer, clock);
      await clock.advance(335 * DAY_MS - 1);
      expect(await ensureAdminToken(path, issuer, clock)).toBe(false);
      await clock.advance(1);
      expect(await ensureAdminToken(path, issuer, clock)).toBe(true);
    }));

  test.each([
    ['the file is empty', () => Promise.resolve('\n')],
    ['what is in it is no token', () => Promise.resolve('abc\n')],
    [
      'it was revoked',
      async ({ issuer, stores }: Kit) => {
        const { token, secret } = await issuer.issue({ ...grant, lifetimeMs: 365 * DAY_MS });
        await stores.tokens.delete(token.uuid);
        return secret;
      },
    ],
  ])('is made anew when %s', (_what, contentOf) =>
    withIssuer(async (kit) => {
      const path = join(kit.directory, 'admin.token');
      await writeFile(path, await contentOf(kit));
      expect(await ensureAdminToken(path, kit.issuer, kit.clock)).toBe(true);
      expect(await ensureAdminToken(path, kit.issuer, kit.clock)).toBe(false);
    }),
  );
});
