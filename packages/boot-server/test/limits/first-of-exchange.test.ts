import { MockClock } from '@ingot/net';
import { expect, test } from 'vitest';
import { firstOfExchange } from '../../src/limits/first-of-exchange.ts';

test('the first of a key within three seconds is told, and the next one after them', async () => {
  const clock = new MockClock();
  const isFirst = firstOfExchange(clock);
  expect(['a', 'a', 'b', 'b'].map(isFirst)).toEqual([true, false, true, false]);
  await clock.advance(2_999);
  expect(isFirst('a')).toBe(false);
  await clock.advance(1);
  expect([isFirst('a'), isFirst('a')]).toEqual([true, false]);
});

test('of very many keys those of late are remembered, and the older half is forgotten', () => {
  const isFirst = firstOfExchange(new MockClock());
  const HALF = 16_384;
  const keys = Array.from({ length: 2 * HALF + 1 }, (_, index) => `machine ${index}`);
  expect(keys.every(isFirst)).toBe(true);
  // The last one began a new half; the half before it is known, the first one is not.
  expect([isFirst(keys.at(-1) ?? ''), isFirst(keys[HALF] ?? ''), isFirst(keys[2 * HALF - 1] ?? '')]).toEqual([
    false,
    false,
    false,
  ]);
  expect(isFirst(keys[0] ?? '')).toBe(true);
});
