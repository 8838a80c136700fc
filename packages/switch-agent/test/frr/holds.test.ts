import { MockClock } from '@ingot/net';
import { expect, it } from 'vitest';
import { createHolds } from '../../src/frr/holds.ts';

it('a refused file waits for a minute, then two, up to a quarter of an hour', async () => {
  const clock = new MockClock();
  const holds = createHolds(clock);
  for (const minutes of [1, 2, 4, 8, 15, 15]) {
    holds.hold('file', ['why']);
    await clock.advance(minutes * 60_000 - 1);
    expect(holds.of('file', 'same')).toEqual(['why']);
    await clock.advance(1);
    expect(holds.of('file', 'same')).toBeUndefined();
  }
});

it('another file does not wait, nor the same one when FRR runs something else meanwhile', () => {
  const holds = createHolds(new MockClock());
  holds.hold('file', ['why']);
  expect(holds.of('other', 'same')).toBeUndefined();
  expect(holds.of('file', 'same')).toEqual(['why']);
  expect(holds.of('file', 'same')).toEqual(['why']);
  expect(holds.of('file', 'bgpd came back empty')).toBeUndefined();
  holds.clear();
  expect(holds.of('file', 'same')).toBeUndefined();
});
