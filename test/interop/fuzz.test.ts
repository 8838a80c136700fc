import { describe, expect, it } from 'vitest';
import { fuzz } from '../soak/fuzz-run.ts';
import { verdictOf } from '../soak/verdict.ts';

describe('hostile packets at every listener', () => {
  // The share of a minute; `node test/soak/fuzz.ts` sends ten million.
  it(
    'end nothing, fill nothing, and keep no honest client from its lease and its files',
    { timeout: 120_000 },
    async () => {
      const result = await fuzz({ packets: 60_000, seconds: 30, seed: 20_260_101 });
      expect(verdictOf(result)).toEqual([]);
      // Fewer would say nothing about the listeners.
      expect(result.sent).toBeGreaterThan(2_000);
      expect(result.replies).toBeGreaterThan(200);
      expect(result.http.requests).toBeGreaterThan(50);
    },
  );
});
