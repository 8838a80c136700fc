import { join } from 'node:path';
import { systemClock } from '@ingot/net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { restoreBackup } from '../../src/backup/restore-backup.ts';
import { openDatabase } from '../../src/store/open-database.ts';
import { startPostgres, type PostgresServer } from '../postgres-server.ts';
import { backUp, dump, filled, inDirectory, key, sqliteIn } from './kit.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

test('a backup of SQLite is restored into PostgreSQL, and from there into SQLite, without a difference', () =>
  inDirectory(async (directory) => {
    const sqlite = sqliteIn(directory);
    await (await filled(sqlite, 600)).close();
    const original = await dump(sqlite);
    const first = join(directory, 'first.backup');
    await backUp(sqlite, first, key);

    const postgres = { dialect: 'postgres', url: await server.createDatabase() } as const;
    await restoreBackup({ file: first, key, location: postgres, clock: systemClock });
    expect(await dump(postgres)).toBe(original);
    // A server works on while its database is copied, and goes on counting where the backup has ended.
    await using database = await openDatabase(postgres, { clock: systemClock });
    const second = join(directory, 'second.backup');
    await Promise.all([
      backUp(postgres, second),
      database.run("INSERT INTO event (machine, at, type, message) VALUES ('m', 1, 1, '')"),
    ]);
    expect(await database.get("SELECT sequence FROM event WHERE machine = 'm'")).toEqual({ sequence: 3 });

    const third = join(directory, 'third.backup');
    await backUp(postgres, third);
    const back = sqliteIn(directory, 'back.sqlite');
    await restoreBackup({ file: third, key: undefined, location: back, clock: systemClock });
    expect(await dump(back)).toBe(await dump(postgres));
  }));

test('a backup is restored into an empty PostgreSQL database only', () =>
  inDirectory(async (directory) => {
    const sqlite = sqliteIn(directory);
    await (await filled(sqlite)).close();
    const file = join(directory, 'one.backup');
    await backUp(sqlite, file);
    const location = { dialect: 'postgres', url: await server.createDatabase() } as const;
    const database = await openDatabase(location, { clock: systemClock });
    await database.run('CREATE TABLE of_others (x TEXT)');
    await database.run("INSERT INTO of_others VALUES ('x')");
    await database.close();
    const restore = () => restoreBackup({ file, key: undefined, location, clock: systemClock });
    await restore();
    const before = await dump(location);
    expect(before).not.toContain('of_others');
    await expect(restore()).rejects.toThrow('has rows: create an empty database');
    expect(await dump(location)).toBe(before);
    const nowhere = { dialect: 'postgres', url: server.url('nowhere') } as const;
    await expect(backUp(nowhere, join(directory, 'two'))).rejects.toThrow('cannot read the database');
  }));
