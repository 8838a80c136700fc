import { MockClock, mockEntropy } from '@ingot/net';
import { expect, test } from 'vitest';
import { createWaitingRoom } from '../src/machine/waiting-room.ts';
import { createStores } from '../src/store/stores.ts';
import { sqlitePlace } from './store/sqlite-place.ts';
import { until } from './support.ts';

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
