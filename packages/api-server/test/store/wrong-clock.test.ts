import { MockClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { createLease } from '../../src/store/lease.ts';
import { createWaitingStore } from '../../src/store/waiting-store.ts';
import { machineA } from '../support.ts';
import { sqlitePlace } from './sqlite-place.ts';

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

test('a lease that was taken while the clock was ahead does not outlive the server that took it', async () => {
  await using place = await sqlitePlace();
  const clock = new MockClock();
  await using session = await place.open(clock);
  const lease = (holder: string) => createLease({ session, clock, name: 'jobs', holder, lifetimeMs: 60_000 });
  clock.stepWallClock(20 * YEAR_MS);
  expect(await lease('first').take()).toBe(true);
  clock.stepWallClock(-20 * YEAR_MS);
  expect(await lease('second').take()).toBe(true);
  expect(await lease('first').take()).toBe(false);
  // Clocks that differ a little take nothing from anybody.
  clock.stepWallClock(-50_000);
  expect(await lease('third').take()).toBe(false);
  await clock.advance(110_000);
  expect(await lease('third').take()).toBe(true);
});

test('a machine whose server was killed while the clock was ahead waits no more', async () => {
  await using place = await sqlitePlace();
  const clock = new MockClock();
  await using session = await place.open(clock);
  const waiting = createWaitingStore(session, clock);
  clock.stepWallClock(YEAR_MS);
  await waiting.enter(machineA, 'seat');
  expect(await waiting.isWaiting(machineA)).toBe(true);
  clock.stepWallClock(-YEAR_MS);
  expect([await waiting.isWaiting(machineA), await waiting.all()]).toEqual([false, new Set()]);
  // One that lives says so every half minute.
  expect(await waiting.renew(['seat'])).toEqual([]);
  expect(await waiting.isWaiting(machineA)).toBe(true);
  clock.stepWallClock(YEAR_MS);
  await waiting.enter(machineA, 'later');
  clock.stepWallClock(-YEAR_MS);
  await waiting.sweep();
  expect(await session.all('SELECT * FROM waiting')).toEqual([]);
});
