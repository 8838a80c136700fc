import { copyFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Code } from '@ingot/api';
import { MockClock, mockEntropy } from '@ingot/net';
import { describe, expect, test } from 'vitest';
import type { Database } from '../../src/store/database.ts';
import { openDatabase } from '../../src/store/open-database.ts';
import { failure } from '../support.ts';
import { bmcCommandConformance } from './bmc-commands.ts';
import { storeConformance } from './conformance/conformance.ts';
import { killRounds } from './kills.ts';
import { sqlitePlace } from './sqlite-place.ts';

storeConformance(sqlitePlace);
bmcCommandConformance(sqlitePlace);

const raw = (path: string): DatabaseSync => new DatabaseSync(path);

describe('the SQLite file', () => {
  test('is kept with a journal that readers can share, and is for its owner only', async () => {
    await using place = await sqlitePlace();
    await using database = await place.open();
    const settings = await database.transaction(async (session) => [
      await session.get('PRAGMA journal_mode'),
      await session.get('PRAGMA synchronous'),
      await session.get('PRAGMA foreign_keys'),
    ]);
    // The journal itself is written through before each answer: see writer.test.ts.
    expect(settings).toEqual([{ journal_mode: 'wal' }, { synchronous: 1 }, { foreign_keys: 1 }]);
    const modes = [dirname(place.path), place.path, `${place.path}.lock`].map(
      async (path) => (await stat(path)).mode & 0o777,
    );
    expect(await Promise.all(modes)).toEqual([0o700, 0o600, 0o600]);
  });

  test('belongs to one server at a time', async () => {
    await using place = await sqlitePlace();
    const first = await place.open();
    await expect(place.open()).rejects.toThrow(/another API server runs on .*stop it, or give this one a dataDir/);
    await first.close();
    await (await place.open()).close();
  });

  test('of a newer program is left alone', async () => {
    await using place = await sqlitePlace();
    await (await place.open()).close();
    const sqlite = raw(place.path);
    sqlite.exec('PRAGMA user_version = 99');
    sqlite.close();
    await expect(place.open()).rejects.toThrow(/is of version 99.*start the newer program/);
  });

  test('that is none is refused with what to do', async () => {
    await using place = await sqlitePlace();
    await (await place.open()).close();
    const path = dirname(place.path);
    await expect(openDatabase({ dialect: 'sqlite', path }, { clock: new MockClock() })).rejects.toThrow(
      /cannot open the database .*check dataDir/,
    );
  });

  test('holds writes back for at most 30 s when one of them never ends, and undoes that one', async () => {
    await using place = await sqlitePlace();
    const clock = new MockClock();
    await using database = await place.open(clock);
    const started = Promise.withResolvers<void>();
    const never = database.transaction(async (session) => {
      await session.run("INSERT INTO secret (name, value) VALUES ('x', 'y')");
      started.resolve();
      await new Promise(() => undefined);
    });
    const refused = expect(never).rejects.toThrow('has waited 30 s for the end of a transaction');
    await started.promise;
    const next = database.run("INSERT INTO secret (name, value) VALUES ('z', 'y')");
    await clock.advance(30_000);
    await refused;
    await next;
    expect(await database.all('SELECT name FROM secret')).toEqual([{ name: 'z' }]);
  });

  test('that has no room left refuses writes, says so, keeps what it has, and goes on when there is room', async () => {
    await using place = await sqlitePlace();
    await using database = await place.open();
    const limit = (pages: number) => database.transaction((session) => session.get(`PRAGMA max_page_count = ${pages}`));
    const write = (name: string, size: number) =>
      database.run('INSERT INTO secret (name, value) VALUES (?, ?)', name, 'x'.repeat(size));
    await write('before', 10);
    await limit(Number((await database.get('PRAGMA page_count'))?.['page_count']) + 4);
    const [small, large] = await Promise.allSettled([
      write('small', 10),
      write('large', 1_000_000),
      write('other', 10),
    ]);
    expect(large.status === 'rejected' ? large.reason : undefined).toMatchObject({
      code: Code.ResourceExhausted,
      message: expect.stringContaining('free some space'),
    });
    await limit(1_000_000);
    await write('after', 1_000_000);
    const names = (await database.all('SELECT name FROM secret')).map(({ name }) => name);
    expect(names).not.toContain('large');
    expect(names).toEqual(expect.arrayContaining(['before', 'after']));
    // Whatever was promised is there, and what was refused is not.
    expect(names.includes('small')).toBe(small.status === 'fulfilled');
  });

  test('gets writes that come together in one commit, and each by itself is kept or undone', async () => {
    await using place = await sqlitePlace();
    await using database = await place.open();
    const other = raw(place.path);
    const pages = (): number => Number(other.prepare('PRAGMA wal_checkpoint(PASSIVE)').get()?.['log']);
    const before = pages();
    const writes = Array.from({ length: 100 }, (_, n) =>
      database.transaction(async (session) => {
        await session.run('INSERT INTO secret (name, value) VALUES (?, ?)', `${n}`, 'x');
        if (n % 10 === 3) throw new Error('not this one');
      }),
    );
    const states = (await Promise.allSettled(writes)).map(({ status }) => status);
    expect(states.filter((state) => state === 'fulfilled')).toHaveLength(90);
    expect(await database.get('SELECT count(*) AS n FROM secret')).toEqual({ n: 90 });
    // Each commit would add at least one page to the journal.
    expect(pages() - before).toBeLessThan(60);
    other.close();
  });
});

describe('a server whose files are taken away', () => {
  const names = async (database: Database): Promise<unknown[]> =>
    (await database.all('SELECT name FROM secret ORDER BY name')).map(({ name }) => name);
  const write = (database: Database, name: string): Promise<unknown> =>
    database.run('INSERT INTO secret (name, value) VALUES (?, ?)', name, 'x');

  test('promises no more without its journal, says so, and has lost nothing when it starts again', async () => {
    await using place = await sqlitePlace();
    const database = await place.open();
    await write(database, 'before');
    expect(await database.state()).toEqual({ ok: true });
    await rm(`${place.path}-wal`);
    const refused = await failure(write(database, 'late'));
    expect([refused.code, refused.message]).toEqual([
      Code.Unavailable,
      expect.stringMatching(/api\.sqlite-wal was removed .* has all that was in it.*restart the server/),
    ]);
    expect(await database.state()).toMatchObject({ ok: false, reason: expect.stringContaining('was removed') });
    // As a kill would leave it: nothing of what the server still holds counts.
    const killed = `${place.path}.killed`;
    await copyFile(place.path, killed);
    const other = raw(killed);
    expect(other.prepare("SELECT name FROM secret WHERE name = 'before'").all()).toHaveLength(1);
    other.close();
    await database.close();
    await using again = await place.open();
    expect(await names(again)).toContain('before');
  });

  test('saves a copy of its database when that is removed, before anybody writes', async () => {
    await using place = await sqlitePlace();
    const database = await place.open();
    await write(database, 'before');
    await rm(place.path);
    expect(await database.state()).toMatchObject({ ok: false, reason: expect.stringContaining('.rescued') });
    const refused = await failure(write(database, 'late'));
    expect(refused.message).toContain(`all that was in it is in ${place.path}.rescued`);
    await database.close();
    expect((await stat(`${place.path}.rescued`)).mode & 0o777).toBe(0o600);
    await rename(`${place.path}.rescued`, place.path);
    await rm(`${place.path}-wal`, { force: true });
    await using again = await place.open();
    expect(await names(again)).toEqual(['before']);
  });
});

describe('kill -9', () => {
  // 200 rounds: node test/soak/store-kills.ts
  test('between and amid writes that come together loses none that was promised', { timeout: 60_000 }, async () => {
    expect(await killRounds(4, mockEntropy(9))).toBeGreaterThan(4);
  });
});
