import { expect, test } from 'vitest';
import { hostileApi } from '../soak/hostile-api-run.ts';
import { hostileApiVerdict } from '../soak/hostile-api-verdict.ts';

// The share of ten minutes: `node test/soak/hostile-api.ts`.
test(
  'hostile clients of the API server end nothing, fill nothing, and keep no honest one from its answer',
  { timeout: 120_000 },
  async () => {
    const result = await hostileApi({ seconds: 10, seed: 20_261_121 });
    expect(hostileApiVerdict(result)).toEqual([]);
    // Fewer would say nothing.
    expect(Object.values(result.attacks).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(20);
    expect(result.honest.kept.served).toBeGreaterThan(3);
  },
);
