import { expect, test } from 'vitest';
import { runTransitions, seeded, startLeaf } from './sonic/transitions.ts';

// INGOT_TRANSITIONS=10000 INGOT_SEED=7 vitest run --project interop packages/switch-agent/test/reconcile.interop.test.ts
const TRANSITIONS = Number(process.env['INGOT_TRANSITIONS'] ?? 150);
const SEED = Number(process.env['INGOT_SEED'] ?? 1);
/** Side by side, because each waits for its stand-ins more than it works. */
const LEAVES = 3;

test(
  `${TRANSITIONS} random desired states are reached without a crash, a leak or a touch of what is not ours`,
  { timeout: 60_000 + TRANSITIONS * 100 },
  async () => {
    const share = Math.ceil(TRANSITIONS / LEAVES);
    // All of them end, whatever becomes of one: each has a Redis to take down.
    const runs = await Promise.allSettled(
      Array.from({ length: LEAVES }, async (_, index) => {
        const random = seeded(SEED * LEAVES + index);
        await using leaf = await startLeaf({ random });
        return await runTransitions(leaf, share, random);
      }),
    );
    for (const run of runs) {
      if (run.status === 'rejected') throw run.reason;
      expect(run.value.actions).toBeGreaterThan(share);
    }
  },
);
