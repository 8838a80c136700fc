import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, MockClock, systemClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { readPorts } from '../src/ports.ts';
import type { SonicDatabase } from '../src/database-config.ts';
import { openSonicDb, type SonicDb } from '../src/sonic-db.ts';
import { CONFIG_DB, startRedis } from './redis-server.ts';

const PORTS = [
  ['HSET', 'PORT|Ethernet10', 'alias', 'Eth2/3', 'lanes', '11'],
  ['HSET', 'PORT|Ethernet2', 'alias', 'Eth1/3', 'lanes', '3'],
  ['HSET', 'PORT|Ethernet4', 'lanes', '5'],
  ['HSET', 'PORT|../../etc', 'alias', 'evil'],
  ['HSET', 'PORTCHANNEL|PortChannel1', 'mtu', '9100'],
];

function openConfigDb(database: SonicDatabase, clock: Clock = systemClock): SonicDb {
  return openSonicDb({ name: 'CONFIG_DB', locate: () => Promise.resolve(database), clock, timeoutMs: 5000 });
}

test('reads the ports of CONFIG_DB in natural order, and no other table', async () => {
  await using redis = await startRedis();
  await redis.run(CONFIG_DB, PORTS);
  const db = openConfigDb(redis.databases.CONFIG_DB);
  const refused: string[] = [];
  expect(await readPorts(db, (row) => refused.push(row))).toEqual([
    { name: 'Ethernet2', alias: 'Eth1/3' },
    { name: 'Ethernet4' },
    { name: 'Ethernet10', alias: 'Eth2/3' },
  ]);
  expect(refused).toEqual(['../../etc']);
  db.close();
});

test('an empty CONFIG_DB is no error', async () => {
  await using redis = await startRedis();
  const db = openConfigDb(redis.databases.CONFIG_DB);
  expect(await readPorts(db, () => {})).toEqual([]);
  db.close();
});

test('reads a table larger than one SCAN page completely', async () => {
  await using redis = await startRedis();
  await redis.run(
    CONFIG_DB,
    Array.from({ length: 2500 }, (_, n) => ['HSET', `PORT|Ethernet${n}`, 'alias', `Eth${n}`]),
  );
  const db = openConfigDb(redis.databases.CONFIG_DB);
  expect((await readPorts(db, () => {})).length).toBe(2500);
  db.close();
});

test('finds a Redis again that was killed and restarted', async () => {
  await using redis = await startRedis();
  await redis.run(CONFIG_DB, PORTS);
  const db = openConfigDb(redis.databases.CONFIG_DB);
  expect((await readPorts(db, () => {})).length).toBe(3);
  await redis.signal('SIGKILL');
  await expect(readPorts(db, () => {})).rejects.toMatchObject({ code: 'SWITCH_DATABASE' });
  await redis.start();
  expect(await readPorts(db, () => {})).toEqual([]);
  await redis.run(CONFIG_DB, PORTS);
  expect((await readPorts(db, () => {})).length).toBe(3);
  db.close();
});

test('a hung Redis costs the deadline and no more, and answers again when it goes on', async () => {
  await using redis = await startRedis();
  await redis.run(CONFIG_DB, PORTS);
  const clock = new MockClock();
  const db = openConfigDb(redis.databases.CONFIG_DB, clock);
  expect((await readPorts(db, () => {})).length).toBe(3);
  await redis.signal('SIGSTOP');
  for (let time = 0; time < 2; time += 1) {
    // The first time the open connection hangs, the second time the new one does.
    let isOver = false;
    const asked = readPorts(db, () => {}).finally(() => (isOver = true));
    asked.catch(() => {});
    await clock.advance(4999);
    expect(isOver).toBe(false);
    await clock.advance(1);
    await expect(asked).rejects.toThrow(/does not answer \(no answer within 5000 ms\)/);
  }
  await redis.signal('SIGCONT');
  expect((await readPorts(db, () => {})).length).toBe(3);
  db.close();
});

test('names the socket when nobody listens there', async () => {
  const database = { name: 'CONFIG_DB', id: 4, separator: '|', unixSocketPath: '/nonexistent/redis.sock' };
  const db = openConfigDb(database);
  await expect(db.rows('PORT')).rejects.toThrow(/CONFIG_DB at \/nonexistent\/redis\.sock failed: .*ENOENT/);
});

test('uses the password file, and finds a rotated password with the next connection', async () => {
  await using redis = await startRedis({ password: 'correct horse' });
  await redis.run(CONFIG_DB, PORTS);
  const passwordPath = join(redis.folder, 'password');
  await writeFile(passwordPath, 'old\n');
  const db = openConfigDb({ ...redis.databases.CONFIG_DB, passwordPath });
  await expect(db.rows('PORT')).rejects.toThrow(/WRONGPASS/);
  await writeFile(passwordPath, 'correct horse\n');
  expect((await db.rows('PORT')).size).toBe(4);
  db.close();
});
