import { expect, test } from 'vitest';
import { allocationStorm } from './storm.ts';

// A thousand, and more often: node test/soak/allocations.ts
test('of two servers one is killed amid allocations: none is lost or doubled, and reservations hold', async () => {
  const report = await allocationStorm(150, 40);
  expect(report).toMatchObject({ allocated: 135, refused: 15 });
});
