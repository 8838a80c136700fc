import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MockClock, mockEntropy, retrySchedule, withRetry, type RetryNotice } from '../src/index.ts';

const entropy = mockEntropy(1);

describe('retrySchedule', () => {
  it('doubles up to the maximum without jitter', () => {
    const schedule = retrySchedule({ initialMs: 100, maxMs: 1000, jitter: 0, entropy });
    expect([...schedule.take(6)]).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  it('ends after its number of retries', () => {
    expect([...retrySchedule({ initialMs: 1, maxMs: 1, jitter: 0, retries: 3, entropy })]).toEqual([1, 1, 1]);
  });

  it('keeps every delay within its jitter, whatever the options', () => {
    const options = fc.record({
      initialMs: fc.integer({ min: 1, max: 10_000 }),
      extraMs: fc.nat(100_000),
      factor: fc.double({ min: 1, max: 10, noNaN: true }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(options, ({ initialMs, extraMs, factor, jitter, seed }) => {
        const maxMs = initialMs + extraMs;
        const schedule = retrySchedule({ initialMs, maxMs, factor, jitter, entropy: mockEntropy(seed) });
        let base = initialMs;
        for (const delayMs of schedule.take(20)) {
          expect(delayMs).toBeGreaterThan(0);
          expect(delayMs).toBeGreaterThanOrEqual(base * (1 - jitter));
          expect(delayMs).toBeLessThanOrEqual(base);
          base = Math.min(base * factor, maxMs);
        }
      }),
    );
  });

  it('spreads those that start together', () => {
    const first = [...retrySchedule({ initialMs: 100, maxMs: 1000, entropy: mockEntropy(1) }).take(3)];
    const second = [...retrySchedule({ initialMs: 100, maxMs: 1000, entropy: mockEntropy(2) }).take(3)];
    expect(first).not.toEqual(second);
  });

  it.each([
    { initialMs: 0, maxMs: 1 },
    { initialMs: 2, maxMs: 1 },
    { initialMs: 1, maxMs: 2, factor: 0.5 },
    { initialMs: 1, maxMs: 2, jitter: 1.5 },
    { initialMs: Number.NaN, maxMs: 2 },
  ])('refuses %o at once', (options) => {
    expect(() => retrySchedule({ ...options, entropy })).toThrow(RangeError);
  });
});

describe('withRetry', () => {
  const schedule = (retries?: number) =>
    retrySchedule({ initialMs: 100, maxMs: 1000, jitter: 0, entropy, ...(retries === undefined ? {} : { retries }) });

  it('tries until it succeeds, waiting as the schedule says, and tells of every failure', async () => {
    const clock = new MockClock();
    const notices: RetryNotice[] = [];
    const result = withRetry(
      async (attempt) => {
        if (attempt < 3) throw new Error(`no ${attempt}`);
        return `yes at ${clock.monotonic()}`;
      },
      { schedule: schedule(), clock, onRetry: (notice) => notices.push(notice) },
    );
    await clock.advance(300);
    expect(await result).toBe('yes at 300');
    expect(notices).toEqual([
      { error: new Error('no 1'), attempt: 1, delayMs: 100 },
      { error: new Error('no 2'), attempt: 2, delayMs: 200 },
    ]);
  });

  it('gives the last error when the schedule ends', async () => {
    const clock = new MockClock();
    let tries = 0;
    const result = withRetry(
      async () => {
        tries += 1;
        throw new Error(`no ${tries}`);
      },
      { schedule: schedule(2), clock },
    );
    const refused = expect(result).rejects.toThrow('no 3');
    await clock.advance(10_000);
    await refused;
  });

  it('does not retry what trying again cannot mend', async () => {
    const clock = new MockClock();
    const failing = async (): Promise<never> => {
      throw new Error('permission denied');
    };
    await expect(withRetry(failing, { schedule: schedule(), clock, retryable: () => false })).rejects.toThrow(
      'permission denied',
    );
    expect(clock.pendingTimers).toBe(0);
  });

  it('stops waiting when aborted', async () => {
    const clock = new MockClock();
    const controller = new AbortController();
    const failing = async (): Promise<never> => {
      throw new Error('away');
    };
    const result = withRetry(failing, { schedule: schedule(), clock, signal: controller.signal });
    await clock.settle();
    controller.abort(new Error('stopping'));
    await expect(result).rejects.toThrow('stopping');
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not try at all when aborted before', async () => {
    let tries = 0;
    const options = { schedule: schedule(), clock: new MockClock(), signal: AbortSignal.abort(new Error('stopped')) };
    await expect(withRetry(async () => (tries += 1), options)).rejects.toThrow('stopped');
    expect(tries).toBe(0);
  });
});
