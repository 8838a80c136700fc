import { expect, test } from 'vitest';
import { runTransitions, seeded, startLeaf } from './sonic/transitions.ts';

test('random desired states are reached without a crash, a leak or a touch of what is not ours', async () => {
  const random = seeded(1);
  await using leaf = await startLeaf({ random });
  const run = await runTransitions(leaf, 150, random);
  expect(run.actions).toBeGreaterThan(500);
});
