import { Code } from '@ingot/api';
import { expect, test } from 'vitest';
import { createLongReads } from '../../src/views/long-reads.ts';
import { failure } from '../support.ts';

test('they read one after the other, in the order in which they came', async () => {
  const reads = createLongReads();
  const order: number[] = [];
  const first = await reads.enter();
  const leaving = new AbortController();
  const third = reads.enter().then((turn) => {
    order.push(3);
    return turn;
  });
  const gone = reads.enter(leaving.signal);
  const fifth = reads.enter().then((turn) => {
    order.push(5);
    return turn;
  });
  leaving.abort(new Error('left'));
  await expect(gone).rejects.toThrow('left');
  await expect(reads.enter(leaving.signal)).rejects.toThrow('left');
  expect(order).toEqual([]);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  const turn = await third;
  expect(order).toEqual([3]);
  turn[Symbol.dispose]();
  (await fifth)[Symbol.dispose]();
  expect(order).toEqual([3, 5]);
  // All have left, so the next need not wait.
  await reads.enter();
});

test('whoever would wait behind a hundred is told so', async () => {
  const reads = createLongReads();
  await reads.enter();
  for (let n = 0; n < 100; n += 1) void reads.enter();
  expect((await failure(reads.enter())).code).toBe(Code.ResourceExhausted);
});
