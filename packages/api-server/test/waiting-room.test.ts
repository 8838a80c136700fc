import { MockClock, mockEntropy } from '@ingot/net';
import { expect, test } from 'vitest';
import { createWaitingRoom } from '../src/machine/waiting-room.ts';
import { createStores } from '../src/store/stores.ts';
import type { Database } from '../src/store/database.ts';
import { sqlitePlace } from './store/sqlite-place.ts';
import { until } from './support.ts';

test('a machine looks when somebody says that much has changed, and leaves when its seat was lost unnoticed', async () => {
  await using place = await sqlitePlace();
  const clock = new MockClock();
  await using database = await place.open(clock);
  const { waiting } = createStores(database, clock);
  const listeners = new Map<string, (payload: string | undefined) => void>();
  const silent: Pick<Database, 'subscribe'> = {
    subscribe: (channel, listener) => {
      listeners.set(channel, listener);
      return { [Symbol.dispose]: () => void listeners.delete(channel) };
    },
  };
  using room = createWaitingRoom({ database: silent, waiting, clock, entropy: mockEntropy(1) });
  const [kept, lost] = [await room.enter('kept'), await room.enter('lost')];
  const looks = kept.changed(new AbortController().signal);
  // At another server; no notification of it has come.
  await waiting.enter('lost', 'newer-seat');
  listeners.get('machine')?.(undefined);
  await looks;
  await until(() => lost.replaced.aborted);
  expect(kept.replaced.aborted).toBe(false);
});

test('everybody looks every 30 s without being told, a few at a time', async () => {
  await using place = await sqlitePlace();
  const clock = new MockClock();
  await using database = await place.open(clock);
  const { waiting } = createStores(database, clock);
  using room = createWaitingRoom({ database, waiting, clock, entropy: mockEntropy(1) });
  const seats = await Promise.all(Array.from({ length: 100 }, (_, n) => room.enter(`machine-${n}`)));
  const leaving = new AbortController();
  let looked = 0;
  const looks = seats.map(async (seat) => {
    await seat.changed(leaving.signal);
    looked += 1;
  });
  await clock.advance(29_999);
  expect(looked).toBe(0);
  await clock.advance(1);
  await until(() => looked === 32);
  await clock.advance(40);
  await until(() => looked === 96);
  await clock.advance(20);
  await Promise.all(looks);
  // Whoever leaves is not looked for any more.
  await Promise.all(seats.map((seat) => seat[Symbol.asyncDispose]()));
  expect(room.size).toBe(0);
  expect(await waiting.all()).toEqual(new Set());
});
